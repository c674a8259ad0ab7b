/** Webhook secrets with an end: `SECRET until 2026-12-01T00:00:00Z`, for the old one while two are in use. */
import { parseDated } from '../domain/dated.ts';

export interface WebhookSecret {
  secret: string;
  untilMs: number;
}

const leastLength = 16;

/** @returns undefined when the text is neither a secret of 16 characters nor one with an instant behind it. */
export function parseSecret(text: string): WebhookSecret | undefined {
  const dated = parseDated(text);
  // Didit decides when it signs with a new one, so a beginning of ours would only refuse rings.
  if (!dated || dated.secret.length < leastLength || dated.fromMs !== -Infinity) return undefined;
  return { secret: dated.secret, untilMs: dated.untilMs };
}

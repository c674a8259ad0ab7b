/** Webhook secrets with an end: `SECRET until 2026-12-01T00:00:00Z`, for the old one while two are in use. */
export interface WebhookSecret {
  secret: string;
  untilMs: number;
}

const form = /^(?<secret>\S{16,})(?: until (?<until>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?$/;

/** @returns undefined when the text is neither a secret of 16 characters nor one with an instant behind it. */
export function parseSecret(text: string): WebhookSecret | undefined {
  const { secret, until } = form.exec(text)?.groups ?? {};
  if (secret === undefined) return undefined;
  if (until === undefined) return { secret, untilMs: Infinity };
  const date = new Date(until);
  // The 31st of February would become the 3rd of March.
  const isReal =
    !Number.isNaN(date.getTime()) && date.toISOString() === until.replace('Z', '.000Z');
  return isReal ? { secret, untilMs: date.getTime() } : undefined;
}

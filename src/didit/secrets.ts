/** Webhook secrets with an end: `SECRET until 2026-12-01T00:00:00Z`, for the old one while two are in use. */
export interface WebhookSecret {
  secret: string;
  untilMs: number;
}

/** @returns undefined when the text is neither a secret nor one with an instant behind it. */
export function parseSecret(text: string): WebhookSecret | undefined {
  const [secret = '', until, ...more] = text.split(/ until /);
  if (more.length > 0) return undefined;
  if (until === undefined) return { secret, untilMs: Infinity };
  const untilMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(until) ? Date.parse(until) : NaN;
  return Number.isNaN(untilMs) ? undefined : { secret, untilMs };
}

export function activeSecrets(secrets: readonly WebhookSecret[], nowMs: number): string[] {
  return secrets.filter(({ untilMs }) => nowMs < untilMs).map(({ secret }) => secret);
}

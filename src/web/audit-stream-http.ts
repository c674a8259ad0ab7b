/** Entries of the audit log as lines of JSON, by POST. */
import type { Sender } from './audit-stream.ts';

const timeoutMs = 5_000;

export function createHttpSender(
  url: string,
  token: string | undefined,
  fetch: typeof globalThis.fetch,
): Sender {
  return {
    async send(entries) {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
        // The token is for this address alone.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`status ${response.status}`);
    },
    close: () => undefined,
  };
}

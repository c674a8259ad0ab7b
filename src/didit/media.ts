/**
 * The one picture that is ever fetched: the portrait of an enrolment, by a link in its decision. The link comes from
 * Didit's API, and still only leads where Didit is known to keep pictures: an answer that was tampered with must
 * not make us call anybody else, and what we call must not send us on.
 */
import { readAtMost } from './body.ts';
import { DiditError, type DiditPeople } from './port.ts';

export interface MediaRules {
  /** Scheme, host and port of every place where Didit may keep a picture. */
  origins: readonly string[];
  /** Only for a Didit on this very machine. */
  allowPlainHttp: boolean;
  /** One that looks at the addresses behind a name before it connects. It never gets the API key. */
  fetch: typeof fetch;
  /** Told why a picture did not come: the person is not, and the operator has to know what to change. */
  warn(message: string): void;
}

/** More than a portrait has that Didit itself would take, and longer than it takes to come. */
export const mediaLimits = { longestAnswerBytes: 1024 * 1024, timeoutMs: 8_000 };

export function createMedia(rules: MediaRules): DiditPeople['fetchPortrait'] {
  /** @throws before anything is sent. A link is a bearer secret, so no message has more of it than its origin. */
  function allowed(link: string): URL {
    const url = URL.parse(link);
    if (!url) throw new DiditError('refused', 'the portrait has no address');
    const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && rules.allowPlainHttp);
    if (!isSafe) throw new DiditError('refused', 'the portrait is not behind https');
    if (url.username !== '' || url.password !== '') {
      throw new DiditError('refused', 'the address of the portrait has credentials');
    }
    if (!rules.origins.includes(url.origin)) {
      throw new DiditError('refused', `the portrait lies at ${url.origin}: see didit.mediaOrigins`);
    }
    return url;
  }

  /** @throws DiditError */
  async function fetchAllowed(link: string): Promise<Buffer> {
    const url = allowed(link);
    let response: Response;
    try {
      response = await rules.fetch(url, {
        // A compressed answer could grow beyond all bounds.
        headers: { accept: 'image/jpeg, image/png', 'accept-encoding': 'identity' },
        redirect: 'error',
        credentials: 'omit',
        signal: AbortSignal.timeout(mediaLimits.timeoutMs),
      });
      if (response.status === 200)
        return await readAtMost(response, mediaLimits.longestAnswerBytes);
    } catch (cause) {
      if (cause instanceof DiditError) throw cause;
      throw new DiditError('unavailable', 'the portrait cannot be fetched', { cause });
    }
    await response.body?.cancel();
    throw new DiditError('unavailable', `the portrait is answered with ${response.status}`);
  }

  return async function fetchPortrait(link) {
    try {
      return await fetchAllowed(link);
    } catch (error) {
      if (error instanceof DiditError) rules.warn(error.message);
      throw error;
    }
  };
}

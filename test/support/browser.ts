/** A browser without a window: a cookie jar, redirects one by one, plain HTML forms. No JavaScript, on purpose. */
import { CookieJar } from 'tough-cookie';

export interface Answer {
  url: string;
  status: number;
  headers: Headers;
  text: string;
  /** Where the answer sends the browser, made absolute. */
  location: string | undefined;
}

export interface Form {
  action: string;
  fields: Record<string, string>;
  /** `formaction` of each button that has one, and the form's own action. */
  actions: string[];
}

export const chromeOnLinux =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/**
 * The tokens of the forms that any browser was shown, by the sign-in that they are for. A form is sent with its token
 * in every browser: whoever attacks is taken to have seen the page.
 */
const formTokens = new Map<string, string>();
/** What a form that is sent to this address carries besides what somebody typed. */
export function formTokenFor(url: string): Record<string, string> {
  const form_token = formTokens.get(signInOf(url));
  return form_token === undefined ? {} : { form_token };
}
/** A page without what is another in each sign-in. */
export const withoutToken = (text: string): string =>
  text
    .replace(/(?<=name="form_token" value=")[^"]*/g, 'TOKEN')
    .replace(/(?<=data-message=")[^"]*/g, 'MESSAGE')
    .replace(/(?<=data-expires-in=")\d+/, 'TIME');
const signInOf = (url: string): string => /^.*\/(?:interaction|h)\/[\w-]+/.exec(url)?.[0] ?? url;

export type TestBrowser = ReturnType<typeof createBrowser>;

/**
 * @param seen is told of every answer, pages and redirects alike.
 * @param address is what the proxy in front says, for providers that believe one.
 */
export function createBrowser({
  userAgent = chromeOnLinux,
  language = 'en',
  address,
  seen = () => undefined,
}: {
  userAgent?: string;
  /** What it says that its person reads. */
  language?: string;
  address?: string | undefined;
  seen?: (answer: Answer) => void;
} = {}) {
  const jar = new CookieJar(undefined, { rejectPublicSuffixes: false });

  async function request(url: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        'user-agent': userAgent,
        accept: 'text/html',
        'accept-language': language,
        ...(address === undefined ? {} : { 'x-forwarded-for': address }),
        ...(init.headers as Record<string, string> | undefined),
        cookie: await jar.getCookieString(url),
      },
    });
    for (const cookie of response.headers.getSetCookie()) {
      await jar.setCookie(cookie, url, { ignoreError: true });
    }
    const location = response.headers.get('location');
    const answer = {
      url,
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: location === null ? undefined : new URL(location, url).href,
    };
    const [, token] = /name="form_token" value="([^"]+)"/.exec(answer.text) ?? [];
    if (token) formTokens.set(signInOf(url), token);
    seen(answer);
    return answer;
  }

  const get = (url: string): Promise<Answer> => request(url);

  /** A form post of a page of the same site. */
  function post(url: string, fields: Record<string, string> = {}): Promise<Answer> {
    return request(url, {
      method: 'POST',
      body: new URLSearchParams({ ...formTokenFor(url), ...fields }),
      headers: { 'sec-fetch-site': 'same-origin', origin: new URL(url).origin },
    });
  }

  /** Follows redirects until a page comes, or an address for which `until` is true (which is not fetched). */
  async function follow(
    answer: Answer,
    until: (url: string) => boolean = () => false,
  ): Promise<Answer> {
    let current = answer;
    for (let hop = 0; current.location !== undefined; hop += 1) {
      if (hop > 20) throw new Error(`too many redirects, last to ${current.location}`);
      if (until(current.location)) return current;
      current = await get(current.location);
    }
    return current;
  }

  return { jar, get, post, follow, request };
}

/** The forms of a page, as far as our pages use forms. */
export function formsOf(answer: Answer): Form[] {
  return [...answer.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(
    ([, attributes, body]) => {
      const action = absolute(attribute(attributes ?? '', 'action') ?? answer.url, answer.url);
      const fields: Record<string, string> = {};
      for (const [, input] of (body ?? '').matchAll(/<input\b([^>]*)>/g)) {
        const name = attribute(input ?? '', 'name');
        if (name !== undefined) fields[name] = attribute(input ?? '', 'value') ?? '';
      }
      const others = [...(body ?? '').matchAll(/formaction="([^"]*)"/g)].map(([, to]) =>
        absolute(to ?? '', answer.url),
      );
      return { action, fields, actions: [action, ...others] };
    },
  );
}

function attribute(attributes: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1]?.replaceAll('&amp;', '&');
}

function absolute(address: string, base: string): string {
  return new URL(address, base).href;
}

/** What the sample relying party shows. The `html` tag alone makes markup and escapes. */

export interface Hop {
  name: string;
  atMs: number;
}

export interface SignedIn {
  claims: Readonly<Record<string, unknown>> & { sub: string };
  userinfo: Readonly<Record<string, unknown>>;
  idToken: string;
}

export interface Markup {
  markup: string;
}

/** What the claims that this provider is about mean, for somebody who first meets them. */
const explanations: Readonly<Record<string, string>> = {
  acr: 'How you signed in, as a class that this app may insist on.',
  amr: 'What was used: “face” is a selfie that matched your reference picture.',
  auth_time: 'When the selfie was judged. It stays the same until you take another one.',
};

/** Test environments mark their classes, so that nobody takes one for the real thing. */
const testMark = 'It ends in “:test”, since no real face was checked.';

const mailLink = html`<p><a href="/mail">Mails that the sign-in page sent</a></p>`;

export function homePage(issuer: string, people: readonly string[], hasMail: boolean): string {
  return page(
    'Acme Wiki',
    html`<p>
        This sample application has no passwords: it sends you to a sign-in page, where you take one
        selfie. Back here, it shows what it was told about you, and nothing else.
      </p>
      <p class="row">
        <a class="button" href="/login">Sign in with a selfie</a>
        <a class="button plain" href="/login?prompt=create">Create account</a>
      </p>
      <h2>People you can be</h2>
      <ul>
        ${people.map(
          (person) =>
            html`<li>
              <a href="/login?login_hint=${encodeURIComponent(person)}">${person}</a>
            </li> `,
        )}
      </ul>
      ${hasMail && mailLink}
      <p class="quiet">The sign-in page is run by <code>${issuer}</code>.</p>`,
  );
}

export function signedInPage(
  { claims, userinfo }: SignedIn,
  hops: Hop[] | undefined,
  { hasMail, accountUrl }: { hasMail: boolean; accountUrl: string },
): string {
  const name = typeof userinfo.name === 'string' ? userinfo.name : claims.sub;
  return page(
    `Hello, ${name}`,
    html`<p>You are signed in to Acme Wiki.</p>
      <p class="row">
        <a class="button" href="/login?prompt=login">Take another selfie</a>
        <a class="button plain" href="/login?step=up">Do something sensitive</a>
        <a class="button plain" href="${accountUrl}">My account</a>
        <a class="button plain" href="/logout">Sign out</a>
      </p>
      ${hasMail && mailLink}
      <h2>What the ID token says</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Claim</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          ${sorted(claims).map(([claim, value]) => claimRow(claim, value))}
        </tbody>
      </table>
      ${hops && timelineOf(hops)}
      <details>
        <summary>ID token, decoded</summary>
        <pre tabindex="0">${JSON.stringify(claims, undefined, 2)}</pre>
      </details>
      <details>
        <summary>Userinfo</summary>
        <pre tabindex="0">${JSON.stringify(userinfo, undefined, 2)}</pre>
      </details>`,
  );
}

export function failurePage(error: string, description: string | undefined): string {
  const said =
    error === 'access_denied'
      ? 'The sign-in was given up or did not succeed. Nothing was shared with this app.'
      : 'The sign-in did not happen.';
  return page(
    'You are not signed in',
    html`<p>${said}</p>
      <p class="quiet"><code>${error}</code> ${description}</p>
      <p class="row">
        <a class="button" href="/login">Try again</a>
        <a class="button plain" href="/">Home</a>
      </p>`,
  );
}

/** The explained claims first; the others as they came. */
function sorted(claims: SignedIn['claims']): [string, unknown][] {
  const entries = Object.entries(claims);
  return [
    ...entries.filter(([claim]) => claim in explanations),
    ...entries.filter(([claim]) => !(claim in explanations)),
  ];
}

function claimRow(claim: string, value: unknown): Markup {
  const explanation = explanations[claim];
  const test = claim === 'acr' && typeof value === 'string' && value.endsWith(':test');
  return html`<tr class="${explanation === undefined ? '' : 'told'}">
    <th scope="row"><code>${claim}</code></th>
    <td>
      <code>${typeof value === 'string' ? value : JSON.stringify(value)}</code>
      ${isTime(claim, value) && html`<time>${new Date(value * 1000).toISOString()}</time>`}
      ${explanation !== undefined && html`<p>${explanation} ${test && testMark}</p>`}
    </td>
  </tr> `;
}

function isTime(claim: string, value: unknown): value is number {
  return ['auth_time', 'iat', 'exp'].includes(claim) && typeof value === 'number';
}

function timelineOf(hops: readonly Hop[]): Markup {
  const startedAtMs = hops[0]?.atMs ?? 0;
  const lastedMs = Math.max(1, (hops.at(-1)?.atMs ?? 0) - startedAtMs);
  return html`<h2>Where the time went</h2>
    <ol class="hops">
      ${hops.map(({ name, atMs }, index) => {
        const sinceMs = atMs - (hops[index - 1]?.atMs ?? startedAtMs);
        return html`<li>
          <span>${name}</span>
          <span class="quiet">+${sinceMs} ms</span>
          <progress
            max="${lastedMs}"
            value="${atMs - startedAtMs}"
            aria-label="${name}: ${atMs - startedAtMs} of ${lastedMs} ms"
          ></progress>
        </li> `;
      })}
    </ol>`;
}

export function page(title: string, body: Markup): string {
  return `<!doctype html>${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.markup
  }`;
}

type Printable = Markup | string | number | false | undefined | readonly Markup[];

export function html(parts: TemplateStringsArray, ...values: readonly Printable[]): Markup {
  return { markup: String.raw({ raw: parts }, ...values.map(print)) };
}

function print(value: Printable): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escape(value);
  if ('markup' in value) return value.markup;
  return value.map(({ markup }) => markup).join('');
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const stylesheet = `
:root { color-scheme: light dark; --ground: #f2f3f7; --card: #fff; --text: #14171f;
  --muted: #555c6b;
  --line: #d8dbe3; --accent: #8a4b00; --on-accent: #fff; --told: #fdf3e4 }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1017; --card: #171b24; --text: #eef0f5;
  --muted: #a9b0bf; --line: #2e3442; --accent: #ffb454; --on-accent: #171b24; --told: #262018 } }
* { box-sizing: border-box }
body { margin: 0; padding: 1rem; background: var(--ground); color: var(--text);
  font: 100%/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 44rem; margin: 4vh auto; padding: clamp(1.25rem, 6vw, 2rem);
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }
h2 { margin: 2rem 0 .5rem; font-size: 1.0625rem }
a { color: var(--accent) }
li a { display: inline-block; min-height: 2.75rem }
li a, summary { line-height: 2.75rem }
:focus-visible { outline: 3px solid var(--text); outline-offset: 2px }
.button { display: inline-block; min-height: 2.75rem; padding: .5rem 1.25rem;
  border: 1px solid var(--accent);
  border-radius: .5rem; background: var(--accent); color: var(--on-accent); font-weight: 600;
  text-decoration: none }
.button.plain { background: none; color: inherit; border-color: var(--muted) }
.row { display: flex; flex-wrap: wrap; gap: .625rem }
.quiet { color: var(--muted) }
ul { padding-left: 1.25rem }
table { width: 100%; border-collapse: collapse; font-size: .9375rem }
th { white-space: nowrap }
th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top }
thead { color: var(--muted) }
tbody th { font-weight: 400 }
.told { background: var(--told) }
td p { margin: .25rem 0 0; color: var(--muted) }
@media (max-width: 34rem) {
  thead { display: none }
  tr, tbody th, td { display: block }
  tbody th { border: 0; padding-bottom: 0 }
}
time { display: block; color: var(--muted) }
.mail { margin-top: 1.5rem; padding-top: .5rem; border-top: 1px solid var(--line) }
.mail h2 { margin-top: .5rem }
.mail .said { white-space: pre-wrap }
.code { margin: .5rem 0; font: 700 2.25rem/1.25 ui-monospace, monospace; letter-spacing: .125em }
details { margin-top: 1rem; border-top: 1px solid var(--line) }
summary { cursor: pointer }
pre { overflow-x: auto; padding: .75rem; background: var(--ground); border-radius: .5rem;
  font-size: .8125rem }
.hops { padding: 0; list-style: none }
.hops li { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; padding: .375rem 0 }
.hops progress { grid-column: 1 / -1; width: 100%; height: .5rem; accent-color: var(--accent) }
`;

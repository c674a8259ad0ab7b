/** The mails that the demo's provider would have sent, newest first: nobody in it has a mailbox. */
import type { WrittenMail } from '../domain/message.ts';
import { type Markup, html, page } from './relying-party-pages.ts';

const keptAtMost = 50;

export function createMailbox() {
  let mails: readonly WrittenMail[] = [];
  return {
    onMail: (mail: WrittenMail): void => {
      mails = [mail, ...mails].slice(0, keptAtMost);
    },
    latest: (): readonly WrittenMail[] => mails,
  };
}

export function mailPage(mails: readonly WrittenMail[]): string {
  return page(
    'Mails',
    html`<p>
        What the sign-in page sent, newest first. Nothing left this machine: the demo has no mail
        server.
      </p>
      <p class="row">
        <a class="button" href="/mail">Look again</a>
        <a class="button plain" href="/">Home</a>
      </p>
      ${mails.length === 0 && html`<p>No mail yet.</p>`} ${mails.map(mailItem)}`,
  );
}

function mailItem({ message, to, subject, text, atMs }: WrittenMail): Markup {
  return html`<article class="mail">
    <h2>${subject}</h2>
    <p class="quiet">To ${to.address}<time>${new Date(atMs).toISOString()}</time></p>
    ${message.kind === 'code' && html`<p class="code">${message.code}</p>`}
    ${'link' in message && html`<p><a href="${message.link}">Open the link in it</a></p>`}
    <details${message.kind === 'code' ? '' : ' open'}>
      <summary>What it says</summary>
      <p class="said">${text.trim()}</p>
    </details>
  </article> `;
}

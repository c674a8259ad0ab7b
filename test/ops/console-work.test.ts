/** What operators do at the console, and what is written down of it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, createBrowser } from '../support/browser.ts';
import { type ConsoleScene, look, openConsole, operator, send } from '../support/console.ts';
import { openToAll } from '../support/enrol.ts';
import { heading, settle } from '../support/login.ts';

let scene: ConsoleScene;
beforeAll(async () => {
  scene = await openConsole({ flags: openToAll });
});
afterAll(() => scene.close());

/** What stands in the hidden fields of one form of a page. */
function hidden({ text }: Answer, name: string): Record<string, string> {
  const [, inside = ''] = new RegExp(`action="[^"]*/${name}"([^]*?)</form>`).exec(text) ?? [];
  const found = [...inside.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)];
  return Object.fromEntries(
    found.map(([, field = '', value = '']) => [field, value.replaceAll('&quot;', '"')]),
  );
}

const told = (since: number, event = 'operator.acted') =>
  scene.bed.events.slice(since).filter((one) => one.event === event);

describe('[PL-20] a look at a page', () => {
  it('of one person is written down once', async () => {
    const { browser, accountId } = await operator(scene);
    const before = scene.bed.events.length;
    expect((await look(scene, browser, `/people/${accountId}`)).status).toBe(200);
    expect(told(before)).toMatchObject([{ act: 'accounts.get', account: accountId }]);
  });

  it('that is refused is written down, and nothing of it is shown', async () => {
    const { browser } = await operator(scene, 'viewer');
    const before = scene.bed.events.length;
    expect((await look(scene, browser, '/operators')).status).toBe(403);
    expect(told(before, 'operator.refused')).toMatchObject([{ act: 'operators.list' }]);
  });
});

describe('the audit log', () => {
  it('names operators, what they looked at once, and the second', async () => {
    const { browser, accountId, address } = await operator(scene);
    await look(scene, browser, `/people/${accountId}`);
    await expect
      .poll(async () => (await look(scene, browser, '/audit?event=operator.acted')).text)
      .toMatch(new RegExp(`/people/${accountId}"><bdi>${address.split('@')[0] ?? ''}[^<]*</bdi>`));
    const { text } = await look(scene, browser, `/audit?event=operator.acted&account=${accountId}`);
    const [row = ''] = text.match(/<tr>\s*<td><time[^]*?<\/tr>/) ?? [];
    expect(row).toMatch(/>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d<\/time>/);
    expect(row.match(new RegExp(`<code class="id">${accountId}<`, 'g'))).toHaveLength(2);
    expect(text).toMatch(/Found for person <a [^>]*>.*, event “<bdi>operator\.acted/);
  });

  it('says whom nobody knows', async () => {
    const { browser } = await operator(scene, 'viewer');
    const { text } = await look(scene, browser, '/audit?account=<b>nobody');
    expect(text).toContain('Nobody is known as “<bdi>&lt;b&gt;nobody</bdi>”. Nothing was found');
  });
});

describe('an app', () => {
  it('is changed in place, in the version that was looked at, and keeps what the form does not ask', async () => {
    const { browser } = await operator(scene);
    const added = await send(browser, await look(scene, browser, '/new-app'), 'add', {
      ...{ template: 'web', client_name: 'Lunch', client_id: 'lunch', first_party: 'yes' },
      redirect_uris: 'https://lunch.example/callback',
    });
    await settle(browser, added);
    const page = await look(scene, browser, '/apps/lunch');
    expect(page.text).toContain('yes: nobody is asked for consent');
    const fields = {
      ...{ ...hidden(page, 'change'), client_name: 'Supper', minimum_acr: 'phr', policy: '' },
      redirect_uris: 'https://lunch.example/callback\nhttps://supper.example/callback',
    };
    const after = await settle(browser, await send(browser, page, 'change', fields));
    expect([after.status, heading(after)]).toEqual([200, 'Supper']);
    expect(after.text).toContain('It is changed');
    expect(after.text).toContain('redirect_uri:  https://supper.example/callback');
    expect(after.text).toContain('no: people are asked for consent');
    expect(after.text).toContain('a passkey (phr)');
    expect(after.text).toContain('a refresh token');
    const stale = await send(browser, page, 'change', fields);
    expect([stale.status, stale.text.includes('somebody changed it')]).toEqual([412, true]);
  });

  it.each(['', '{"grant_types":', '[]'])(
    'is not changed by a form that came back without the rest of it (%s)',
    async (kept) => {
      const { browser } = await operator(scene);
      const id = `dinner-${randomUUID()}`;
      const added = await send(browser, await look(scene, browser, '/new-app'), 'add', {
        ...{ template: 'web', client_name: 'Dinner', client_id: id },
        redirect_uris: 'https://dinner.example/callback',
      });
      await settle(browser, added);
      const page = await look(scene, browser, `/apps/${id}`);
      const fields = { ...hidden(page, 'change'), client_name: 'Late', kept };
      const redirects = 'https://dinner.example/callback';
      const answer = await send(browser, page, 'change', { ...fields, redirect_uris: redirects });
      expect(answer.status).toBe(422);
      const now = await look(scene, browser, `/apps/${id}`);
      expect([heading(now), now.text.includes('a refresh token')]).toEqual(['Dinner', true]);
    },
  );

  it('whose address is none says on which line, and how one is written', async () => {
    const { browser } = await operator(scene);
    const answer = await send(browser, await look(scene, browser, '/new-app'), 'add', {
      ...{ template: 'web', client_name: ' ' },
      redirect_uris: 'https://app.example/callback\napp.example',
    });
    expect(answer.text).toContain('Name: This is needed.');
    expect(answer.text).toContain('Line 2: Write the whole address, beginning with https://');
    expect(answer.text).not.toContain('what was sent');
  });

  it.each(['account', 'console'])('of the provider itself, %s, is built in', async (id) => {
    const { browser } = await operator(scene, 'viewer');
    const { text } = await look(scene, browser, `/apps/${id}`);
    expect(text).toContain('It is built in');
    expect(text).not.toContain('clients file');
    expect((await look(scene, browser, '/apps')).text.match(/>built in</g)).toHaveLength(2);
  });
});

describe('a person', () => {
  it('who was invited is invited again, and is signed out of nothing', async () => {
    const { browser } = await operator(scene, 'reviewer');
    const form = await look(scene, browser, '/new-person');
    const sent = await send(browser, form, 'invite', { email: 'mira@example.com', groups: '' });
    const invited = await settle(browser, sent);
    expect(invited.text).not.toContain('Sign out everywhere');
    const again = await send(browser, invited, 'invite-again', hidden(invited, 'invite-again'));
    const page = await settle(browser, again);
    expect(page.text).toContain('They were written to once more');
    expect(page.text).toContain('The link was sent to');
    expect(page.text).not.toContain('/enrol/');
  });

  it('is blocked and erased only behind what will happen, and the date of it is shown', async () => {
    const { browser } = await operator(scene);
    const whose = await scene.records.accounts.idOf(scene.bed.person());
    const page = await look(scene, browser, `/people/${whose}`);
    for (const name of ['block', 'erase']) {
      expect(page.text).toMatch(
        new RegExp(`<details class="ask">(?:(?!</details>)[^])*action="[^"]*/${name}"`),
      );
    }
    const planned = await settle(browser, await send(browser, page, 'erase'));
    expect(planned.text).toMatch(/To be erased on \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    expect(planned.text).toContain('Call the erasure off');
  });
});

describe('[PL-20] who comes to the wrong door', () => {
  it('with a browser is led to the console, and a program is told that nothing is there', async () => {
    const browser = createBrowser();
    const first = await browser.get(`${scene.origin}/`);
    expect(first.location).toBe(`${scene.origin}/console`);
    const lost = await browser.get(`${scene.origin}/nowhere`);
    expect([lost.status, lost.text.includes('href="/console"')]).toEqual([404, true]);
    const program = await fetch(`${scene.origin}/nowhere`);
    expect([program.status, await program.json()]).toEqual([404, { error: 'not found' }]);
  });
});

it('before there is any operator the console says how to make the first', async () => {
  const fresh = await openConsole({ people: 1 });
  try {
    const page = await look(fresh, createBrowser(), '/people');
    expect([page.status, heading(page)]).toEqual([200, 'No operator yet']);
    expect(page.text).toContain('didit-oidc operators link --email');
    await operator(fresh);
    expect((await look(fresh, createBrowser(), '/people')).status).toBe(303);
  } finally {
    await fresh.close();
  }
});

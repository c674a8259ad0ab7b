/** Whom an operator asked for, where the store breaks off in the middle of it: nobody is waited for for good. */
import { expect, it, onTestFinished } from 'vitest';
import { asArrived, invite, isUncollected } from '../../src/enrol/invitation.ts';
import { linkForOperator } from '../../src/ops/operators.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { recordsOn } from '../support/operators.ts';

const clock = Date.now;
const email = 'ana@example.com';
type Records = ReturnType<typeof recordsOn>;

const asks: [string, (records: Records) => Promise<unknown>][] = [
  [
    'an invitation',
    (records) => {
      const mail = () => Promise.resolve();
      return invite({ email, groups: [] }, { ...records, mail, issuer: 'https://login.example' });
    },
  ],
  [
    'a link for an operator',
    (records) => {
      const place = { consoleOrigin: 'https://console.example', canEnrol: true };
      return linkForOperator({ email, role: 'viewer', by: 'ann' }, { ...records, ...place });
    },
  ],
];

it.each(asks)('%s that breaks off after the account holds no address for good', async (_, ask) => {
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  let isGone = false;
  const put: Store['put'] = async (key, ...rest) => {
    if (isGone) throw new StoreUnavailable({ cause: 'a test' });
    isGone = key.startsWith('account:');
    return store.put(key, ...rest);
  };
  await expect(ask(recordsOn({ ...store, put }, clock))).rejects.toThrow(StoreUnavailable);
  const { accounts } = recordsOn(store, clock);
  const account = (await accounts.find((await accounts.idOf(email)) ?? ''))!;
  expect(account.status).toBe('invited');
  expect(isUncollected(account, clock() + 8 * 86_400_000)).toBe(true);
});

it('[EN-01] who comes in the moment in which they are invited once more is waited for no longer, and not written to', async () => {
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  const records = recordsOn(store, clock);
  const mails: string[] = [];
  const tools = {
    ...{ ...records, issuer: 'https://login.example' },
    mail: (_: unknown, { kind }: { kind: string }) => Promise.resolve(void mails.push(kind)),
  };
  const { account } = await invite({ email, groups: [] }, tools);
  const find: typeof records.accounts.find = async (id) => {
    const found = await records.accounts.find(id);
    await records.accounts.change(id, asArrived);
    return found;
  };
  const again = invite(
    { email, groups: [] },
    { ...tools, accounts: { ...records.accounts, find } },
  );
  await expect(again).rejects.toThrow('is somebody');
  expect(mails).toEqual(['invitation']);
  const arrived = (await records.accounts.find(account.id))!;
  expect(arrived).toMatchObject({ status: 'active' });
  expect(arrived).not.toHaveProperty('invitedUntilMs');
});

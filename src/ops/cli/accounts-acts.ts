/** `didit-oidc accounts block|unblock|factors|uninvite|keep`: who may come, and by what; and what is called off. */
import type { Command } from 'commander';
import { subOf, withActs } from './acting.ts';
import { type OperatorOptions, operatorCommand, print, printAll } from './people.ts';

interface Factors {
  passkeys: { name: string; synced: boolean; used_at?: string }[];
  totp?: object;
  recovery_codes?: { left: number };
}

const calledOff = {
  uninvite: {
    act: 'invitations.withdraw',
    description: 'the link of an invitation counts no more, and who has not come is forgotten',
    done: { invited: false },
    told: 'is invited no more',
  },
  keep: {
    act: 'erasures.cancel',
    description: 'an erasure that is planned is not done; what has begun goes on',
    done: { erasing: false },
    told: 'is kept',
  },
} as const;

export function addActsOnAccounts(accounts: Command): void {
  for (const verb of ['block', 'unblock']) {
    operatorCommand(
      accounts,
      `${verb} <identifier>`,
      `${verb} the account with this e-mail address, user name or sub`,
    ).action((identifier: string, options: OperatorOptions) =>
      withActs(options, async (perform) => {
        const id = await subOf(identifier, perform);
        const { status } = await perform(`accounts.${verb}`, { params: { id } });
        print(options, { sub: id, status }, () => [`${id} is ${String(status)}`]);
      }),
    );
  }
  operatorCommand(
    accounts,
    'factors <identifier>',
    'ways in besides a selfie: what there is, never a key or a code',
  ).action(factors);
  for (const [verb, { act, description, done, told }] of Object.entries(calledOff)) {
    operatorCommand(accounts, `${verb} <identifier>`, description).action(
      (identifier: string, options: OperatorOptions) =>
        withActs(options, async (perform) => {
          const id = await subOf(identifier, perform);
          await perform(act, { params: { id } });
          print(options, { sub: id, ...done }, () => [`${id} ${told}`]);
        }),
    );
  }
}

async function factors(identifier: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    const found = await perform('factors.list', { params: { id } });
    const { passkeys, totp, recovery_codes: codes } = found as unknown as Factors;
    const lines = [
      ...passkeys.map(({ name, synced, used_at: used }) =>
        [`passkey  ${name}`, synced ? 'synced' : 'on one device', `used ${used ?? 'never'}`].join(
          ', ',
        ),
      ),
      ...(totp ? ['code app'] : []),
      ...(codes ? [`recovery codes, ${codes.left} left`] : []),
    ];
    const next = 'people add them at their account page';
    printAll(options, { sub: id, ...found }, { lines, next });
  });
}

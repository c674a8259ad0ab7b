/** A whole login by the program as it is run, which is without `__proto__`. */
import { expect, onTestFinished, test } from 'vitest';
import { visit } from '../faults/people.ts';
import { createParty } from '../support/login.ts';
import { prepareDeployment } from './deployment.ts';

/** Makes the process leave with 9, at the end, if any object still has the accessor. */
const probe = `process.on('exit', () => { if ('__proto__' in {}) process.exitCode = 9; });`;
const asked = `--import=data:text/javascript,${encodeURIComponent(probe)}`;

test.each([
  ['by itself', ''],
  ['when Node was told to, as well', '--disable-proto=delete'],
])(
  '[PL-18] people sign in to a provider whose objects have no __proto__, %s',
  async (_name, flag) => {
    const deployment = await prepareDeployment({
      storeUrl: 'sqlite:{directory}/store.sqlite',
      windowless: { people: 2 },
    });
    onTestFinished(() => deployment.close());
    const provider = await deployment.start({ NODE_OPTIONS: `${asked} ${flag}` });
    const party = await createParty(deployment);
    const person = deployment.person();
    expect(await visit(party, person)).toMatchObject({ email: person });
    expect(await provider.end('SIGTERM')).toBe(0);
  },
  60_000,
);

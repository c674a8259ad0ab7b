import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { press, hostedOrigin, launchChromium, newPerson, signIn } from '../support/chromium.ts';
import { freePort } from '../support/ports.ts';
import { startTestbed } from '../support/testbed.ts';
import { end, lineOf, spawnNode } from './deployment.ts';

const example = fileURLToPath(new URL('../../examples/openid-client/app.ts', import.meta.url));

test('the example with openid-client signs a person in, and says so when it did not', async () => {
  const [port, secret] = [await freePort(), randomKey()];
  const client = {
    client_id: 'example',
    client_name: 'Example',
    client_secret: secret,
    redirect_uris: [`http://localhost:${port}/callback`],
    first_party: true,
  };
  const bed = await startTestbed({
    clients: [client],
    simulator: { hostedOrigin },
    flags: { didit: { hostedOrigins: [hostedOrigin] } },
  });
  onTestFinished(() => bed.close());
  const env = {
    ISSUER: bed.issuer,
    CLIENT_ID: 'example',
    CLIENT_SECRET: secret,
    PORT: String(port),
  };
  const app = spawnNode([example], env);
  onTestFinished(async () => {
    await end(app, 'SIGKILL');
  });
  await lineOf(app, (line) => line === `open http://localhost:${port}`);
  const browser = await launchChromium(bed.simulatorUrl);
  onTestFinished(() => browser.close());

  const { page } = await newPerson(browser);
  await page.goto(`http://localhost:${port}`);
  await press(page, 'Cancel and go back to Example');
  await page.getByText('Not signed in').waitFor();
  await page.goto(`http://localhost:${port}`);
  await signIn(page, 'ana@example.com', 'approve');
  await page.waitForURL(/callback/);
  expect(JSON.parse(await page.locator('body').innerText())).toMatchObject({
    iss: bed.issuer,
    acr: 'urn:didit-oidc:acr:selfie:test',
    email: 'ana@example.com',
  });
});

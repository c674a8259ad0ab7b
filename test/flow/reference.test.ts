/** The face that everything is compared with comes in once. However many selfies follow, it stays what it was. */
import { expect, onTestFinished, test } from 'vitest';
import { defaultWorkflows } from '../../src/simulator/options.ts';
import { callDidit, overhear } from '../didit/support.ts';
import { createBrowser, createParty, signIn, toSelfie } from '../support/login.ts';
import { startTestbed } from '../support/testbed.ts';

test('[EN-07] a login leaves the reference as it is, and fetches no new picture', async () => {
  const overheard = overhear();
  const bed = await startTestbed({ fetch: overheard.fetch });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  for (let logins = 0; logins < 3; logins += 1) {
    await signIn(createBrowser(), await party.begin({ prompt: 'login' }), 'ben@example.com');
  }
  const sent = overheard.creates.map(({ body }) => [body.vendor_data, body.portrait_image]);
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(1);
  const operations = (await bed.log()).calls.map(({ operation }) => operation);
  expect(operations).toContain('decision');
  expect(operations).not.toContain('media');
});

test('[BD-01] with Didit’s own reference, who enrolled there signs in, and no picture is sent', async () => {
  const asked: Record<string, unknown>[] = [];
  const bed = await startTestbed({
    flags: { didit: { faceReference: 'stored' } },
    fetch: (input, init) => {
      if (typeof init?.body === 'string')
        asked.push(JSON.parse(init.body) as (typeof asked)[number]);
      return fetch(input, init);
    },
  });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const before = await toSelfie(createBrowser(), await party.begin(), 'ben@example.com');
  expect(before.url).toContain(bed.issuer);

  const enrolment = { workflow_id: defaultWorkflows[2]?.id, vendor_data: asked[0]?.vendor_data };
  const created = await callDidit(bed, 'POST', '/v3/session/', enrolment);
  const { session_id: id } = (await created.json()) as { session_id: string };
  await bed.control(`sessions/${id}/outcome`, { outcome: 'approve' });
  const request = await party.begin();
  const claims = (
    await request.finish(await signIn(createBrowser(), request, 'ben@example.com'))
  ).claims();
  expect(claims?.amr).toEqual(['face']);
  expect(asked.length).toBeGreaterThan(1);
  for (const body of asked) expect(body).not.toHaveProperty('portrait_image');
});

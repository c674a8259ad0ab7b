/** What the doctor says of the mail server, without sending a mail. */
import { expect, it, onTestFinished } from 'vitest';
import { checkMail } from '../../src/ops/doctor/mail.ts';
import { freePort } from '../support/ports.ts';
import { type MailServerOptions, startMailServer } from '../support/smtp.ts';

async function looked(options: MailServerOptions = {}, credentials = '') {
  const server = await startMailServer(options);
  onTestFinished(() => server.close());
  const smtpUrl = `smtp://${credentials}127.0.0.1:${server.port}`;
  const finding = await checkMail({
    mail: { smtpUrl, from: 'x@example.com' },
    registration: 'off',
  });
  return { finding, server };
}

const passwords: MailServerOptions = {
  authOptional: false,
  allowInsecureAuth: true,
  onAuth: ({ password }, _session, done) =>
    password === 'right' ? done(null, { user: 'us' }) : done(new Error('no')),
};

it('one that lets us in is fine, and gets no mail', async () => {
  const { finding, server } = await looked();
  expect(finding).toMatchObject({ name: 'mail', state: 'ok' });
  expect([server.mails, server.steps]).toEqual([[], []]);
  expect((await looked(passwords, 'us:right@')).finding).toMatchObject({ state: 'ok' });
});

it('a password that is refused is a problem, and is not shown', async () => {
  const { finding } = await looked(passwords, 'us:a-wrong-one@');
  expect(finding).toMatchObject({ state: 'problem' });
  expect(finding.found).toContain('user or password were refused');
  expect(JSON.stringify(finding)).not.toContain('a-wrong-one');
});

it('nobody at the address is a problem, with what to do', async () => {
  const smtpUrl = `smtp://127.0.0.1:${await freePort()}`;
  const finding = await checkMail({
    mail: { smtpUrl, from: 'x@example.com' },
    registration: 'off',
  });
  expect(finding).toMatchObject({ state: 'problem' });
  expect(finding.advice).toContain('SMTP_URL');
});

it('without one it depends on whether people enrol', async () => {
  expect(await checkMail({ mail: {}, registration: 'off' })).toMatchObject({ state: 'ok' });
  expect(await checkMail({ mail: {}, registration: 'open' })).toMatchObject({ state: 'warning' });
});

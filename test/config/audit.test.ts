import { expect, it } from 'vitest';
import { problemsOf, productionEnv, resolved } from './support.ts';

it('the audit log is kept for 400 days and streamed nowhere, unless somebody says so', () => {
  expect(resolved({}).audit).toEqual({ keptForSeconds: 400 * 86_400 });
  const stream = 'syslog+udp://logs.example.com:514';
  const env = { ...productionEnv, AUDIT_KEPT_FOR: '30d', AUDIT_STREAM: stream };
  expect(resolved({ env }).audit).toEqual({ keptForSeconds: 30 * 86_400, stream });
});

it('it is streamed by syslog to a host and port, by https, or in the clear on this machine alone', () => {
  const problems = (stream: string) =>
    problemsOf({ env: { ...productionEnv, AUDIT_STREAM: stream } }).length;
  for (const right of [
    ...[
      'syslog+tcp://10.0.0.1:601',
      'syslog+tcp://[::1]:601',
      'https://logs.example.com/in?index=a',
    ],
    ...['http://127.0.0.1:8080', 'http://localhost:8080/in'],
  ]) {
    expect([right, problems(right)]).toEqual([right, 0]);
  }
  for (const wrong of [
    ...['syslog+udp://logs.example.com', 'syslog://logs.example.com:514', 'logs.example.com:514'],
    ...['http://logs.example.com', 'https://user:word@logs.example.com', 'syslog+tcp://:601'],
    ...['syslog+tcp://logs.example.com:601/path', 'ftp://logs.example.com'],
  ]) {
    expect([wrong, problems(wrong)]).toEqual([wrong, 1]);
  }
});

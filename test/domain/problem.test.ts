import { expect, test } from 'vitest';
import { Problem } from '../../src/domain/problem.ts';

test('a problem has its code, its status and, for the log alone, a detail and a cause', () => {
  const cause = new Error('below');
  const problem = new Problem('webhook_refused', 'signature_missing', { cause });
  expect(problem).toMatchObject({ name: 'Problem', code: 'webhook_refused', status: 401, cause });
  expect(problem.message).toBe('signature_missing');
  expect(new Problem('unavailable')).toMatchObject({ message: 'unavailable', status: 503 });
});

import { expect, test } from 'vitest';
import { strangeVariables } from '../../src/config/strange-variables.ts';

test('a variable that looks like a setting and is none is named, with the one that was meant', () => {
  const env = { DIDIT_WORKFLOW_PASIVE: 'x', DIDIT_API_KEYS: 'y', COST_NOTHING_LIKE_IT_AT_ALL: 'z' };
  expect(strangeVariables(env)).toEqual([
    'DIDIT_WORKFLOW_PASIVE is no setting, and nothing is made of it. Did you mean DIDIT_WORKFLOW_PASSIVE?',
    'DIDIT_API_KEYS is no setting, and nothing is made of it. Did you mean DIDIT_API_KEY?',
    'COST_NOTHING_LIKE_IT_AT_ALL is no setting, and nothing is made of it.',
  ]);
});

test('settings, their files, and what other programs and platforms set are passed over', () => {
  const others = {
    DIDIT_OIDC_SERVICE_HOST: 'x',
    SESSION_MANAGER: 'x',
    LOGNAME: 'x',
    HOSTNAME: 'x',
  };
  expect(strangeVariables({ DIDIT_API_KEY: 'x', COOKIE_KEYS_FILE: 'x', ...others })).toEqual([]);
});

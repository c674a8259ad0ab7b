import { describe, expect, it, test } from 'vitest';
import type { CreateRequest } from '../../src/didit/port.ts';
import { type Answer, type Received, hosted, say, startDidit } from './server.ts';

const shared = { shareToken: 'token-1', workflowId: 'workflow-kyc', vendorData: 'opaque-1' };

describe('taking over what a partner shared', () => {
  it('asks for it under our own name, and says by which id it is known here', async () => {
    const { api, received } = await startDidit(
      say(201, { session_id: 'session-1', status: 'Approved', shared_from_session: 'session-0' }),
    );
    expect(await api.importShared(shared)).toEqual({ diditSessionId: 'session-1' });
    expect(received).toMatchObject([{ method: 'POST', path: '/v3/session/import-shared/' }]);
    expect(received[0]?.body).toEqual({
      ...{ share_token: 'token-1', trust_review: true },
      ...{ workflow_id: 'workflow-kyc', vendor_data: 'opaque-1' },
    });
  });

  it.each([
    ['refused', 400, { share_token: 'Invalid or expired share token.' }],
    ['refused', 400, { workflow_id: 'Invalid workflow_id.' }],
    ['blocked', 400, { vendor_data: 'This user or business has been blocked.' }],
    ['refused', 401, { detail: 'Who are you?' }],
    ['refused', 403, { detail: 'This session has already been imported.' }],
    ['out_of_credit', 402, {}],
    ['rate_limited', 429, {}],
    ['unavailable', 500, {}],
    ['unavailable', 201, { status: 'Approved' }],
  ])('fails as "%s" after %i %j, and is not repeated', async (failure, status, body) => {
    const { api, received } = await startDidit(say(status, body));
    await expect(api.importShared(shared)).rejects.toMatchObject({ failure });
    expect(received).toHaveLength(1);
  });
});

describe('deleting a person', () => {
  it.each([
    [{ deleted: 1 }, 'deleted'],
    [{ deleted: 0 }, 'absent'],
    [{}, 'deleted'],
  ])('after %j they are "%s"', async (body, deletion) => {
    const { api, received } = await startDidit(say(200, body));
    expect(await api.deleteUser('opaque-1')).toBe(deletion);
    expect(received).toMatchObject([
      { method: 'POST', path: '/v3/users/delete/', body: { vendor_data_list: ['opaque-1'] } },
    ]);
    // Whatever happens, never all of them.
    expect(Object.keys(received[0]?.body ?? {})).toEqual(['vendor_data_list']);
  });

  it.each([
    ['refused', 400],
    ['refused', 403],
    ['rate_limited', 429],
    ['unavailable', 503],
  ])('fails as "%s" after %i', async (failure, status) => {
    const { api } = await startDidit(say(status, {}));
    await expect(api.deleteUser('opaque-1')).rejects.toMatchObject({ failure });
  });
});

describe('deleting the faces that outlived their sessions', () => {
  /** A Didit with these templates, of which it shows so many a page. */
  function withTemplates(
    names: readonly string[],
    purged: Answer = say(200, { outcome: 'purged' }),
  ) {
    return startDidit((res, one) => {
      const { searchParams, pathname } = new URL(one.path, 'http://didit.example');
      if (one.method === 'DELETE') {
        purged(res, one);
        return;
      }
      expect(pathname).toBe('/v3/biometric-templates/');
      const wanted = searchParams.get('vendor_data') ?? '';
      const found = names
        .map((vendor_data, at) => ({ uuid: `template-${at}`, vendor_data }))
        .filter((one) => one.vendor_data.toLowerCase().includes(wanted.toLowerCase()));
      const [limit, offset] = ['limit', 'offset'].map((name) => Number(searchParams.get(name)));
      const results = found.slice(offset, (offset ?? 0) + (limit ?? 0));
      const next = found.length > (offset ?? 0) + results.length ? 'https://didit.example/' : null;
      say(200, { count: found.length, next, previous: null, results })(res, one);
    });
  }
  const deletedOf = (received: Received[]): string[] =>
    received.filter(({ method }) => method === 'DELETE').map(({ path }) => path);

  it('deletes those of the very name, though Didit finds others whose name contains it', async () => {
    const names = ['user-1', 'user-10', 'USER-1', 'my-user-1', 'user-1', ''];
    const { api, received } = await withTemplates(names);
    expect(await api.deleteTemplates('user-1')).toBe('deleted');
    expect(deletedOf(received)).toEqual([
      ...['/v3/biometric-templates/template-0/', '/v3/biometric-templates/template-4/'],
    ]);
  });

  it('looks on every page', async () => {
    const names = [...Array<string>(250).fill('user-11'), 'user-1'];
    const { api, received } = await withTemplates(names);
    expect(await api.deleteTemplates('user-1')).toBe('deleted');
    expect(deletedOf(received)).toEqual(['/v3/biometric-templates/template-250/']);
    expect(received.filter(({ method }) => method === 'GET')).toHaveLength(3);
  });

  it('gives up on a name that thousands contain', async () => {
    const { api, received } = await withTemplates(Array<string>(3_000).fill('user-11'));
    await expect(api.deleteTemplates('user-1')).rejects.toMatchObject({ failure: 'refused' });
    expect(received).toHaveLength(20);
  });

  it('finds nothing where there is nothing', async () => {
    const { api, received } = await withTemplates(['user-10']);
    expect(await api.deleteTemplates('user-1')).toBe('absent');
    expect(deletedOf(received)).toEqual([]);
  });

  it('keeps a name out of the path', async () => {
    const { api, received } = await withTemplates([]);
    await api.deleteTemplates('../users/delete/?delete_all=true&x=');
    expect(received.map(({ path }) => path)).toEqual([
      '/v3/biometric-templates/?vendor_data=..%2Fusers%2Fdelete%2F%3Fdelete_all%3Dtrue%26x%3D&limit=100&offset=0',
    ]);
  });

  it.each([
    ['purged', 200, { outcome: 'purged' }],
    ['purged before', 200, { outcome: 'already_purged' }],
    ['no longer there', 404, {}],
    ['deleted without a word', 204, ''],
  ])('takes one for gone that is %s', async (_, status, body) => {
    const { api } = await withTemplates(['user-1'], say(status, body));
    expect(await api.deleteTemplates('user-1')).toBe('deleted');
  });

  it.each([
    ['unavailable', 200, { outcome: 'purge_failed' }],
    ['unavailable', 200, {}],
    ['unavailable', 503, { detail: 'Repeat the call.' }],
    ['refused', 403, {}],
    ['refused', 409, {}],
  ])('fails as "%s" after %i %j', async (failure, status, body) => {
    const { api } = await withTemplates(['user-1'], say(status, body));
    await expect(api.deleteTemplates('user-1')).rejects.toMatchObject({ failure });
  });

  it.each([
    ['refused', 403, {}],
    ['refused', 404, {}],
    ['schema_drift', 200, {}],
    ['schema_drift', 200, { results: [{ vendor_data: 'user-1' }] }],
  ])('fails as "%s" when the list is answered with %i %j', async (failure, status, body) => {
    const { api } = await startDidit(say(status, body));
    await expect(api.deleteTemplates('user-1')).rejects.toMatchObject({ failure });
  });
});

test('[BD-10] of all that Didit can do, these calls are made and no others', async () => {
  const decision = { session_id: 's', status: 'Approved' };
  const { api, apiBaseUrl, received } = await startDidit((res, one) => {
    const created = { session_id: 's', status: 'Not Started', url: `${hosted}/session/1` };
    if (one.path === '/v3/session/') say(201, created)(res, one);
    else if (one.path.startsWith('/v3/biometric-templates/?')) {
      say(200, { results: [{ uuid: 't', vendor_data: 'v' }], next: null })(res, one);
    } else say(200, { ...decision, deleted: 1, outcome: 'purged' })(res, one);
  });
  const request: CreateRequest = {
    ...{
      workflowId: 'w',
      workflowType: undefined,
      vendorData: 'v',
      callback: 'https://x.example/',
    },
    ...{ metadata: {}, uiLocales: undefined, portraitImage: undefined },
  };
  const all: { [Name in keyof typeof api]: () => Promise<unknown> } = {
    createSession: () => api.createSession(request),
    readDecision: () => api.readDecision('s'),
    readEnrolment: () => api.readEnrolment('s'),
    deleteSession: () => api.deleteSession('s'),
    fetchPortrait: () => api.fetchPortrait(`${apiBaseUrl}/face.jpg`),
    importShared: () => api.importShared(shared),
    deleteUser: () => api.deleteUser('v'),
    deleteTemplates: () => api.deleteTemplates('v'),
  };
  expect(Object.keys(all).sort()).toEqual(Object.keys(api).sort());
  for (const call of Object.values(all)) await call();
  expect(received.map(({ method, path }) => `${method} ${path.split('?')[0] ?? ''}`)).toEqual([
    'POST /v3/session/',
    'GET /v3/session/s/decision/',
    'GET /v3/session/s/decision/',
    'DELETE /v3/session/s/delete/',
    'GET /face.jpg',
    'POST /v3/session/import-shared/',
    'POST /v3/users/delete/',
    'GET /v3/biometric-templates/',
    'DELETE /v3/biometric-templates/t/',
  ]);
  // The key goes to the API and nowhere else.
  const keyed = received.filter(({ headers }) => headers['x-api-key'] !== undefined);
  expect(received.filter((one) => !keyed.includes(one)).map(({ path }) => path)).toEqual([
    '/face.jpg',
  ]);
});

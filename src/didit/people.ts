/** Didit's calls about people: to take over what a partner shared, and to let them leave. */
import { type DiditPeople, DiditError } from './port.ts';
import { deletionOf, refusal } from './refusal.ts';
import type { Transport } from './transport.ts';
import { biometricTemplates, deletedUsers, importedDiditSession, purgedTemplate } from './wire.ts';

/** Didit copies every record and picture before it answers. */
const importTimeoutMs = 15_000;
const deleteTimeoutMs = 5_000;
const templatesAPage = 100;
/** A name that so many others contain is none that we gave. */
const maximumPages = 20;

type Calls = Pick<DiditPeople, 'importShared' | 'deleteUser' | 'deleteTemplates'>;

export function createPeople(send: Transport): Calls {
  const call = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
    send({
      ...{ operation: 'people', method, path, timeoutMs: deleteTimeoutMs },
      ...(body ? { body } : {}),
    });

  /** Didit looks for the name anywhere within a name, in any case: only the very same one is meant. */
  async function templatesOf(vendorData: string): Promise<string[]> {
    const root = '/v3/biometric-templates/';
    const found: string[] = [];
    for (let page = 0; page < maximumPages; page += 1) {
      const query = new URLSearchParams({
        vendor_data: vendorData,
        limit: String(templatesAPage),
        offset: String(page * templatesAPage),
      });
      const answer = await call('GET', `${root}?${query.toString()}`);
      if (answer.status !== 200) throw refusal(answer);
      const parsed = biometricTemplates.safeParse(answer.body);
      if (!parsed.success) throw new DiditError('schema_drift', 'templates that cannot be read');
      const { results, next } = parsed.data;
      found.push(
        ...results.filter((one) => one.vendor_data === vendorData).map(({ uuid }) => uuid),
      );
      if (!next) return found;
    }
    throw new DiditError('refused', 'the name is part of too many others');
  }

  return {
    async importShared({ shareToken, workflowId, vendorData }) {
      const body = {
        share_token: shareToken,
        // The partner's status is kept and held against our own rules; else all that comes would be In Review.
        trust_review: true,
        workflow_id: workflowId,
        vendor_data: vendorData,
      };
      const path = '/v3/session/import-shared/';
      const answer = await send({
        ...{ operation: 'import', method: 'POST', path, body, timeoutMs: importTimeoutMs },
      });
      if (answer.status !== 201 && answer.status !== 200) throw refusal(answer);
      const parsed = importedDiditSession.safeParse(answer.body);
      if (!parsed.success) throw new DiditError('unavailable', 'a session that cannot be read');
      return { diditSessionId: parsed.data.session_id };
    },

    async deleteUser(vendorData) {
      const answer = await call('POST', '/v3/users/delete/', { vendor_data_list: [vendorData] });
      const deletion = deletionOf(answer);
      return deletedUsers.safeParse(answer.body).data?.deleted === 0 ? 'absent' : deletion;
    },

    async deleteTemplates(vendorData) {
      const templates = await templatesOf(vendorData);
      for (const uuid of templates) {
        const path = `/v3/biometric-templates/${encodeURIComponent(uuid)}/`;
        const answer = await call('DELETE', path);
        const isGone = deletionOf(answer) === 'absent';
        if (!isGone && answer.status === 200 && !purgedTemplate.safeParse(answer.body).success) {
          throw new DiditError('unavailable', 'a template that may still be there');
        }
      }
      return templates.length > 0 ? 'deleted' : 'absent';
    },
  };
}

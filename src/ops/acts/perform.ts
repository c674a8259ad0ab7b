/** The one door to the acts: who may, with what, and that it is written down. */
import { z } from 'zod';
import { acr, acrName, satisfies } from '../../domain/assurance.ts';
import type { AuditEvent } from '../../domain/event.ts';
import { hasRole } from '../../domain/operator.ts';
import { Problem } from '../../domain/problem.ts';
import type { Act, Actor } from './act.ts';
import { requireAdminOver } from './operator-accounts.ts';
import { Refusal } from './refusal.ts';
import type { ActTools } from './tools.ts';

/** As it came in; `perform` looks at it. */
export interface GivenInput {
  params?: unknown;
  query?: unknown;
  body?: unknown;
  ifVersion?: string | undefined;
}

/**
 * `isPart`: it belongs to a look that is told already, as the devices of a person do to their page. Then it is not told
 * once more, unless it is refused; what changes anything is always told.
 */
export type Perform = <A extends Act>(
  act: A,
  input: GivenInput,
  by: Actor,
  how?: { isPart: boolean },
) => Promise<z.output<A['answer']>>;

const freshForSeconds = 300;
/** How operators have to have signed in where it takes two: by a passkey, or by a face on a device that is known. */
const strongSignIns = [acr.passkey, acr.selfieDevice];

/**
 * @throws Problem. What was refused was not done; of what broke off (`unavailable`, `internal`) nobody knows how far it
 * came.
 */
export function createPerform(tools: ActTools): Perform {
  const { clock, record } = tools;

  return async function perform<A extends Act>(
    act: A,
    given: GivenInput,
    by: Actor,
    { isPart } = { isPart: false },
  ) {
    const named = objectIn(given.params);
    const tell = async (
      event: AuditEvent['event'],
      more: { object?: string | undefined; account?: string | undefined; reason?: string } = {},
    ): Promise<void> => {
      const { object = named, account = isAboutPeople(act) ? object : undefined, ...rest } = more;
      record({
        event,
        atMs: clock(),
        act: act.id,
        ...(object === undefined ? {} : { object }),
        ...(account === undefined ? {} : { account }),
        operators: [by.name],
        ...rest,
      });
      // It is late then, and written as soon as the store takes it: what is done stays done, and whoever did it is told.
      if (act.method !== 'GET') await tools.flushAudit().catch(() => undefined);
    };

    const refused = async (error: unknown): Promise<never> => {
      await tell('operator.refused', { reason: reasonOf(error) });
      throw error;
    };

    try {
      mayPerform(act, by, { nowSeconds: clock() / 1000, environment: tools.environment });
    } catch (error) {
      return refused(error);
    }
    const input = read(act, given);
    const { id } = input.params as { id?: string };
    if (id !== undefined && changesSomebody(act)) {
      await requireAdminOver(id, by, tools).catch(refused);
    }
    if (act.method !== 'GET') await requireWritten(tools);
    let answer: z.output<A['answer']>;
    try {
      answer = act.answer.parse(await act.run(input, tools, by)) as z.output<A['answer']>;
    } catch (error) {
      // Whatever came of it: somebody tried.
      if (act.method !== 'GET') await tell('operator.acted', { reason: reasonOf(error) });
      throw error;
    }
    // Of what was only looked at: whom, and nothing that lists many.
    const object = await act.objectOf?.(answer, input, tools);
    const isWhom = (object ?? named) !== undefined;
    const account = act.accountOf?.(answer);
    const reason = act.noteOf?.(answer, input);
    if (act.method !== 'GET' || (isWhom && !isPart)) {
      await tell('operator.acted', { object, account, ...(reason ? { reason } : {}) });
    }
    return answer;
  };
}

/** @returns undefined when this key may, whatever it asks of the act. */
export function whyNotByKey(
  act: Pick<Act, 'scope' | 'takesTwo'>,
  { scopes }: Pick<Actor, 'scopes'>,
): string | undefined {
  if (act.takesTwo) return 'it takes two people, and a key is none';
  return scopes?.includes(act.scope) ? undefined : `it takes the scope ${act.scope}`;
}

/** @throws Refusal unless this actor may do it now. */
export function mayPerform(
  act: Pick<Act, 'role' | 'scope' | 'isDangerous' | 'takesTwo'>,
  by: Actor,
  { nowSeconds, environment }: { nowSeconds: number; environment: 'live' | 'sandbox' },
): void {
  if (by.kind === 'key') {
    const why = whyNotByKey(act, by);
    if (why !== undefined) throw new Refusal('forbidden', why);
    return;
  }
  if (by.role === undefined || !hasRole(by.role, act.role)) {
    throw new Refusal('forbidden', `it takes the role ${act.role}`);
  }
  if (by.kind === 'command') return;
  const isStrong = strongSignIns.some((one) => satisfies(by.acr ?? '', acrName(one, environment)));
  if (act.takesTwo && !isStrong) {
    throw new Refusal(
      'sign_in_again',
      'it takes a sign-in by a passkey, or by a selfie on your own device',
    );
  }
  const isOld = nowSeconds - (by.authTime ?? 0) > freshForSeconds;
  if ((act.isDangerous || act.takesTwo) && isOld) {
    throw new Refusal('sign_in_again', 'it takes a sign-in of the last five minutes');
  }
}

/** @throws Refusal as long as an entry of before is not written: nothing more is done then that would have to be. */
async function requireWritten({ flushAudit }: Pick<ActTools, 'flushAudit'>): Promise<void> {
  await flushAudit().catch(() => {
    throw new Refusal(
      'unavailable',
      'the audit log cannot be written now, and so nothing was done',
    );
  });
}

/** @throws Refusal with everything that is wrong with it. */
function read(act: Act, { params = {}, query = {}, body = {}, ifVersion }: GivenInput) {
  const nothing = z.strictObject({});
  const given = { params, query, body };
  const schema = z.object({
    params: act.params ?? nothing,
    query: act.query ?? nothing,
    body: act.body ?? nothing,
  });
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path: [, ...path], message }) => ({
      path: path.join('.'),
      message,
    }));
    throw new Refusal('invalid', 'what was sent is not what it takes', fields);
  }
  if (act.isVersioned && ifVersion === undefined) {
    throw new Refusal('version_required', 'say which version is changed: its ETag, as If-Match');
  }
  return { ...parsed.data, ifVersion: ifVersion ?? '' };
}

function objectIn(params: unknown): string | undefined {
  const parsed = z
    .object({
      id: z
        .string()
        .max(64)
        .regex(/^[\w.~-]+$/),
    })
    .safeParse(params);
  return parsed.success ? parsed.data.id : undefined;
}

const isOfOneAccount = ({ path }: Act): boolean => /^\/accounts\/:id(\/|$)/.test(path);
const changesSomebody = (act: Act): boolean => act.method !== 'GET' && isOfOneAccount(act);

/** So that a search by account finds also who looked: what such an act is done to is an account. */
const isAboutPeople = (act: Act): boolean =>
  isOfOneAccount(act) || act.path === '/accounts' || act.id === 'audit.page';

const reasonOf = (error: unknown): string => (error instanceof Problem ? error.code : 'internal');

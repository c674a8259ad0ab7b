/**
 * When is somebody asked to sign in? The library's policy, with three changes.
 *
 * Its two checks for an essential acr compare names and ask again for as long as they differ: with a selfie as
 * the login that would be a second, paid selfie that cannot help either. One check of ours takes their place. It
 * knows the order of the classes, so that a stronger session satisfies; it asks only for what can be reached; and
 * it asks once.
 *
 * Its two checks for a requested person ask again when another signs in, or forget on the way back which person it
 * was. Ours asks once, too, and then says no.
 */
import { type KoaContextWithOIDC, errors, interactionPolicy } from 'oidc-provider';
import { acr, acrName, satisfies } from '../domain/assurance.ts';
import type { AssuranceRequest } from '../domain/deciding.ts';
import { isAbout } from './requested-subject.ts';
import type { SubjectFor } from './subjects.ts';

const { Check, Prompt } = interactionPolicy;

/**
 * @param reachable the classes that a new login here can end with, best first.
 * @param subjectFor the name under which a client knows an account.
 * @param isOpen whether anybody may make an account: then an app may ask for that (`prompt=create`, Initiating User
 *   Registration via OpenID Connect 1.0).
 */
export function createPolicy(
  reachable: readonly string[],
  subjectFor: SubjectFor,
  isOpen: boolean,
  environment: 'live' | 'sandbox',
): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  const login = policy.get('login');
  const consent = policy.get('consent');
  if (!login || !consent) throw new Error('the library has no login or consent prompt any more');

  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.remove('id_token_hint');
  login.checks.remove('claims_id_token_sub_value');
  login.checks.add(
    new Check('subject', 'somebody else was asked for than is signed in', 'login_required', (ctx) =>
      needsOtherSubject(ctx, subjectFor),
    ),
  );
  login.checks.add(
    new Check(
      'acr',
      'the requested authentication context could not be reached',
      'unmet_authentication_requirements',
      (ctx) => needsOtherAcr(ctx, reachable, environment),
    ),
  );
  login.checks.add(
    new Check('handoff', 'End-User authentication is required', 'login_required', (ctx) =>
      needsOwnSelfie(ctx, environment),
    ),
  );
  login.checks.add(
    new Check(
      'account_gone',
      'End-User authentication is required',
      'login_required',
      ({ oidc }) => oidc.session?.accountId !== undefined && !oidc.account,
    ),
  );

  if (isOpen) policy.add(new Prompt({ name: createPrompt, requestable: true }), 0);

  // The library asks for consent at every login of a native app. An app of the house needs none.
  const native = consent.checks.get('native_client_prompt');
  if (native) {
    const { check } = native;
    native.check = (ctx) => !isFirstParty(ctx.oidc.client) && check(ctx);
  }
  return policy;
}

/** The app asks for an account to be made. */
export const createPrompt = 'create';

/** Said by the operator in the clients file; see clients.ts. */
export function isFirstParty(client: object | undefined): boolean {
  return client !== undefined && 'first_party' in client && client.first_party === true;
}

/** Said there as well: may the selfie be taken on a phone, for the browser that asked? */
export function allowsHandoff(client: object | undefined): boolean {
  return client !== undefined && 'handoff' in client && client.handoff === true;
}

/** What was handed off for one app signs in to none that does not take that, the person's own page included. */
function needsOwnSelfie({ oidc }: KoaContextWithOIDC, environment: 'live' | 'sandbox'): boolean {
  const isHandedOff = oidc.session?.acr === acrName(acr.selfieHandoff, environment);
  return isHandedOff && !allowsHandoff(oidc.client);
}

function needsOtherSubject({ oidc }: KoaContextWithOIDC, subjectFor: SubjectFor): boolean {
  const { client, params } = oidc;
  const accountId = oidc.session?.accountId;
  const subject = client && accountId !== undefined ? subjectFor(client, accountId) : undefined;
  const isRight = isAbout(
    { hint: params?.id_token_hint, claim: oidc.claims.id_token?.sub },
    subject,
  );
  if (!isRight && oidc.result?.login) {
    throw new errors.LoginRequired('somebody else was asked for than signed in');
  }
  return !isRight;
}

function needsOtherAcr(
  { oidc }: KoaContextWithOIDC,
  reachable: readonly string[],
  environment: 'live' | 'sandbox',
): boolean {
  const { essential, values } = requestedAcr(oidc.claims);
  const minimum = oidc.client && minimumOf(oidc.client, environment);
  const have = oidc.session?.accountId ? oidc.session.acr : undefined;
  const isWanted = (name: string): boolean =>
    values.length === 0 || values.some((want) => satisfies(name, want));
  const isEnough = (name: string): boolean => minimum === undefined || satisfies(name, minimum);
  if (values.length === 0 && minimum === undefined) return false;
  if (have !== undefined && isWanted(have) && isEnough(have)) return false;
  // Asked once: whoever has just signed in is not asked for the same again, least of all for another selfie.
  const hasJustSignedIn = oidc.result?.login !== undefined;
  const isWithinReach = (isRight: (name: string) => boolean): boolean =>
    !hasJustSignedIn && reachable.some(isRight);
  if (isWithinReach((can) => isWanted(can) && isEnough(can))) return true;
  const isLacking = have === undefined || !isEnough(have);
  // A wish that nobody here can grant takes nothing away from the least.
  if (minimum !== undefined && isLacking && !essential && isWithinReach(isEnough)) return true;
  if (
    (essential && !(have !== undefined && isWanted(have))) ||
    (minimum !== undefined && isLacking)
  ) {
    throw new errors.UnmetAuthenticationRequirements(
      'the requested authentication context cannot be reached here',
    );
  }
  return false;
}

/** The least that the operator takes for this app, as this environment calls it. */
export function minimumOf(client: object, environment: 'live' | 'sandbox'): string | undefined {
  const { minimum_acr: name } = client as { minimum_acr?: unknown };
  return typeof name === 'string' ? acrName(name, environment) : undefined;
}

/**
 * What an interaction asks of the sign-in; the library has checked its form. Whoever could not prove what is essential
 * need not begin.
 */
export function requestedAssurance(
  { params, prompt }: { params: Readonly<Record<string, unknown>>; prompt: { reasons: string[] } },
  minimumAcr: string | undefined,
): AssuranceRequest {
  const { acr_values: wished, claims, max_age: maxAge } = params;
  // The library puts `acr_values` in the place of the claim, and those are wishes.
  const wishes = typeof wished === 'string' ? wished.split(' ').filter(Boolean) : undefined;
  const parsed = typeof claims === 'string' ? (JSON.parse(claims) as ClaimsParameter) : {};
  const { essential, values } = wishes
    ? { essential: false, values: wishes }
    : requestedAcr(parsed);
  const isNewActAsked = ['login_prompt', 'max_age'].some((why) => prompt.reasons.includes(why));
  const maxAgeSeconds = Number(maxAge);
  return {
    ...(values.length > 0 ? { [essential ? 'essentialAcr' : 'wantedAcr']: values } : {}),
    ...(minimumAcr === undefined ? {} : { minimumAcr }),
    ...(isNewActAsked ? { isNewActAsked } : {}),
    ...(maxAge !== undefined && Number.isFinite(maxAgeSeconds) ? { maxAgeSeconds } : {}),
  };
}

interface ClaimsParameter {
  id_token?: { acr?: unknown } | undefined;
}

/** Essential only by the claims parameter (OpenID Connect Core 5.5.1.1); the library puts `acr_values` there too. */
function requestedAcr(claims: ClaimsParameter): {
  essential: boolean;
  values: readonly string[];
} {
  const claim = claims.id_token?.acr as
    { essential?: boolean; value?: unknown; values?: unknown } | null | undefined;
  if (claim?.values !== undefined && !Array.isArray(claim.values)) {
    throw new errors.InvalidRequest('invalid claims.id_token.acr.values type');
  }
  const wanted: unknown[] = claim?.values ?? [claim?.value];
  return {
    essential: claim?.essential === true,
    values: wanted.filter((value) => typeof value === 'string'),
  };
}

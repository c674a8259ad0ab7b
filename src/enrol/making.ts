/**
 * Setting up a way in that needs no face: the same pages for who enrols (protect.ts) and for who is here already
 * (account/ways.ts); only where their buttons lead differs.
 */
import type { RouterContext } from '@koa/router';
import type { OtherWays } from '../fallback/factors.ts';
import type { LoginTools } from '../login/room.ts';
import type { Account } from '../store/accounts.ts';
import type { PeoplePage } from '../web/people-pages.ts';
import { qrPicture } from '../web/qr.ts';

type PageOf<Name extends PeoplePage['page']> = Extract<PeoplePage, { page: Name }>;

/** After a wrong code the app that was set up a moment ago still counts: it is shown again, and no other. */
export async function totpPage(
  { totp }: Pick<OtherWays, 'totp'>,
  account: Account,
  actions: PageOf<'totp'>['actions'],
  error?: 'wrong_code',
): Promise<PageOf<'totp'>> {
  const label = account.email ?? account.username ?? '';
  const before = error && (await totp.again(account.id, label));
  const { secret, uri } = before ?? (await totp.begin(account.id, label));
  return {
    page: 'totp',
    secret: secret.replace(/.{4}(?=.)/g, '$& '),
    qr: qrPicture(uri),
    ...(error ? { error } : {}),
    actions,
  };
}

/** @param boundTo the attempt or the session that the answer has to come back in. */
export async function passkeyPage(
  { passkeys }: Pick<OtherWays, 'passkeys'>,
  account: Account,
  boundTo: string,
  actions: PageOf<'passkey_new'>['actions'],
  error?: 'not_made',
): Promise<PageOf<'passkey_new'>> {
  const options = await passkeys.registrationOptions(account, boundTo);
  return {
    page: 'passkey_new',
    options: JSON.stringify(options),
    ...(error ? { error } : {}),
    actions,
  };
}

/** Until the person gives it another: where it was made. */
export function passkeyName(ctx: RouterContext, { placeOf }: Pick<LoginTools, 'placeOf'>): string {
  const agent = ctx.get('user-agent');
  const { browser, system } = placeOf(ctx.ip, { browser: agent, system: agent });
  return [browser, system].filter(Boolean).join(', ') || 'Passkey';
}

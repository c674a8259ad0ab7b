/** More time for an interaction: the library sets its end, and that of its two cookies, when it begins. */
import type { Context } from 'koa';
import type { Interaction, Provider } from 'oidc-provider';

/** @param untilMs when it ends from now on; never sooner than before. */
export async function prolongInteraction(
  ctx: Context,
  provider: Provider,
  interaction: Interaction,
  { untilMs, nowMs }: { untilMs: number; nowMs: number },
): Promise<void> {
  const untilSeconds = Math.floor(untilMs / 1000);
  if (untilSeconds <= interaction.exp) return;
  interaction.exp = untilSeconds;
  await interaction.persist();
  const { uid, returnTo } = interaction;
  const paths = { interaction: `/interaction/${uid}`, resume: new URL(returnTo).pathname } as const;
  const secure = ctx.secure;
  for (const [name, path] of Object.entries(paths)) {
    ctx.cookies.set(provider.cookieName(name), uid, {
      ...{ path, secure, signed: true, httpOnly: true, sameSite: 'lax', overwrite: true },
      maxAge: untilMs - nowMs,
    });
  }
}

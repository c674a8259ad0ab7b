/** Bodies of the admin API: JSON, of so many bytes, nested no deeper than anything that it takes. */
import type { Context } from 'koa';
import rawBody from 'raw-body';
import { Refusal } from '../acts/refusal.ts';
import { isTooDeep } from '../../oidc/nesting.ts';

const maximumBytes = 64 * 1024;

/** @returns the text as it came, and what it says. @throws Refusal */
export async function readJson(ctx: Context): Promise<{ text: string; value: unknown }> {
  const hasBody =
    ctx.req.headers['transfer-encoding'] !== undefined || Number(ctx.get('content-length')) > 0;
  if (!hasBody) return { text: '', value: {} };
  if (!ctx.is('application/json')) {
    throw new Refusal('unsupported_media_type', 'a body is application/json');
  }
  const text = await rawBody(ctx.req, { limit: maximumBytes, encoding: 'utf8' }).catch(
    (cause: unknown) => {
      const isTooLarge = (cause as { type?: string }).type === 'entity.too.large';
      if (isTooLarge) throw new Refusal('body_too_large', 'a body has at most 64 KiB');
      throw new Refusal('malformed', 'the body did not arrive');
    },
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('malformed', 'the body is no JSON');
  }
  if (isTooDeep(value)) throw new Refusal('malformed', 'the body is nested too deeply');
  return { text, value };
}

/** The keys of the person's browsers: name them, take them away. */
import { withoutKeys } from '../domain/familiar.ts';
import { typed } from '../web/forms.ts';
import { type Action, done, tell } from './room.ts';

export const nameDevice: Action = async (ctx, tools, { account }, form) => {
  const name = typed(form, 'name');
  const id = form.get('device');
  if (name !== '') {
    await tools.familiar.change(account.id, (before) => ({
      ...before,
      keys: before.keys.map((key) => (key.id === id ? { ...key, name } : key)),
    }));
  }
  done(ctx, name === '' ? 'nothing' : 'device_named');
};

/** The browser keeps its half, which opens nothing any more. */
export const removeDevice: Action = async (ctx, tools, visitor, form) => {
  const id = form.get('device');
  const removed = { isThere: false };
  await tools.familiar.change(visitor.account.id, (before) => {
    removed.isThere = before.keys.some((key) => key.id === id);
    return withoutKeys(before, (key) => key.id === id);
  });
  if (removed.isThere) {
    await tell(tools, visitor, 'factor.removed', { event: 'device_removed', atMs: tools.clock() });
  }
  done(ctx, removed.isThere ? 'device_removed' : 'nothing');
};

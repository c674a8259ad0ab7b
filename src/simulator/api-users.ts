/** Didit's calls about users: everybody whose `vendor_data` a session has mentioned. */
import { z } from 'zod';
import type { ApiParts } from './api-sessions.ts';
import { page, refuse, refuseUnknown } from './calls.ts';
import { isoTime } from './state.ts';
import type { State, User } from './state.ts';

const newUser = z.object({ vendor_data: z.string().min(1), display_name: z.string().optional() });
const userChange = z.object({ display_name: z.string().nullable().optional() });
const userStatus = z.object({ status: z.enum(['ACTIVE', 'FLAGGED', 'BLOCKED']) });
const deletion = z.object({
  vendor_data_list: z.array(z.string()).default([]),
  didit_internal_id_list: z.array(z.string()).default([]),
  delete_all: z.boolean().default(false),
});

export function addUserCalls({ router, guard, state }: ApiParts): void {
  const operation = guard('users');

  router.get('/v3/users/', operation, (ctx) => {
    ctx.body = page(
      ctx,
      [...state.users.values()].map((user) => userBody(user, state)),
    );
  });

  router.post('/v3/users/create/', operation, (ctx) => {
    const request = newUser.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { vendor_data: ['This field is required.'] });
    } else if (state.users.has(request.data.vendor_data)) {
      refuse(ctx, 400, { vendor_data: ['A user with this vendor_data already exists.'] });
    } else {
      const user = state.userOf(request.data.vendor_data);
      user.displayName = request.data.display_name ?? null;
      ctx.status = 201;
      ctx.body = userBody(user, state);
    }
  });

  router.post('/v3/users/delete/', operation, (ctx) => {
    const request = deletion.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { detail: 'Name the users to delete.' });
      return;
    }
    const { vendor_data_list: names, didit_internal_id_list: ids, delete_all: all } = request.data;
    const doomed = [...state.users.values()].filter(
      ({ id, vendorData }) => all || ids.includes(id) || names.includes(vendorData),
    );
    for (const { vendorData } of doomed) state.users.delete(vendorData);
    ctx.body = { deleted: doomed.length };
  });

  router.get('/v3/users/:vendorData/', operation, (ctx) => {
    const user = state.users.get(ctx.params.vendorData ?? '');
    if (user === undefined) refuseUnknown(ctx);
    else ctx.body = userBody(user, state);
  });

  router.patch('/v3/users/:vendorData/', operation, (ctx) => {
    const user = state.users.get(ctx.params.vendorData ?? '');
    const change = userChange.safeParse(ctx.state.body);
    if (user === undefined) {
      refuseUnknown(ctx);
    } else if (!change.success) {
      refuse(ctx, 400, { display_name: ['Not a valid string.'] });
    } else {
      user.displayName = change.data.display_name ?? user.displayName;
      ctx.body = userBody(user, state);
    }
  });

  router.patch('/v3/users/:vendorData/update-status/', operation, (ctx) => {
    const user = state.users.get(ctx.params.vendorData ?? '');
    const request = userStatus.safeParse(ctx.state.body);
    if (user === undefined) {
      refuseUnknown(ctx);
    } else if (!request.success) {
      refuse(ctx, 400, { status: ['Not a valid choice.'] });
    } else {
      user.status = request.data.status;
      ctx.body = userBody(user, state);
    }
  });
}

function userBody(user: User, state: State) {
  const sessions = [...state.sessions.values()].filter((one) => one.vendorData === user.vendorData);
  const lastCreatedAtMs = sessions.at(-1)?.createdAtMs;
  return {
    didit_internal_id: user.id,
    vendor_data: user.vendorData,
    display_name: user.displayName,
    status: user.status,
    portrait_image_url: null,
    session_count: sessions.length,
    approved_count: sessions.filter(({ status }) => status === 'Approved').length,
    last_session_at: lastCreatedAtMs === undefined ? null : isoTime(lastCreatedAtMs),
    created_at: isoTime(user.createdAtMs),
  };
}

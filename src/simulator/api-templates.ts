/** Didit's calls about faces that outlived their sessions. */
import { z } from 'zod';
import type { ApiParts } from './api-sessions.ts';
import { page, refuse, refuseUnknown } from './calls.ts';
import { isoTime } from './state.ts';
import type { State, Template } from './state.ts';

const purge = z.object({
  template_uuids: z.array(z.string()).default([]),
  delete_all: z.boolean().default(false),
  /** With `delete_all` only. */
  vendor_data: z.string().default(''),
});

export function addTemplateCalls({ router, guard, state }: ApiParts): void {
  const root = '/v3/biometric-templates/';
  const operation = guard('templates');

  router.get(root, operation, (ctx) => {
    const { searchParams } = ctx.URL;
    const found = templatesNamed(state, searchParams.get('vendor_data') ?? '');
    ctx.body = page(ctx, found.map(templateBody));
  });

  router.post(`${root}delete/`, operation, (ctx) => {
    const request = purge.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { template_uuids: ['This field is required.'] });
      return;
    }
    const { delete_all: all, vendor_data: name, template_uuids: ids } = request.data;
    const doomed = all
      ? templatesNamed(state, name)
      : ids.flatMap((id) => state.templates.get(id) ?? []);
    ctx.body = { results: doomed.map((template) => purged(template, state)) };
  });

  router.get(`${root}:id/`, operation, (ctx) => {
    const template = state.templates.get(ctx.params.id ?? '');
    if (template === undefined) refuseUnknown(ctx);
    else ctx.body = templateBody(template);
  });

  router.delete(`${root}:id/`, operation, (ctx) => {
    const template = state.templates.get(ctx.params.id ?? '');
    if (template === undefined) refuseUnknown(ctx);
    else ctx.body = purged(template, state);
  });
}

/** Anywhere within the name, in any case: whoever deletes by this deletes others' faces, too. */
function templatesNamed({ templates }: State, part: string): Template[] {
  return [...templates.values()].filter(({ vendorData }) =>
    vendorData.toLowerCase().includes(part.toLowerCase()),
  );
}

function purged(template: Template, { now }: State) {
  const outcome = template.purgedAtMs === null ? 'purged' : 'already_purged';
  template.purgedAtMs ??= now();
  return { uuid: template.id, outcome };
}

function templateBody({ id, vendorData, retainedAtMs, purgedAtMs }: Template) {
  return {
    uuid: id,
    vendor_data: vendorData,
    source_type: 'session_delete',
    retention_policy: 'retain_until_user_deleted',
    retained_at: isoTime(retainedAtMs),
    status: purgedAtMs === null ? 'active' : 'purged',
    purged_at: purgedAtMs === null ? null : isoTime(purgedAtMs),
  };
}

/** The API's document (OpenAPI 3.1), out of the table of acts. Pure: the same table is the same document. */
import { z } from 'zod';
import type { Act } from '../acts/act.ts';
import { scopes } from '../acts/index.ts';

type Json = { [name: string]: unknown };

/** What an act may answer besides what it is for. */
const refusals: Readonly<Record<string, string>> = {
  400: 'It does not parse: the path, the query, a header or the body',
  401: 'Without a key, or with one that counts for nothing',
  403: 'The key’s scopes do not reach so far, or it takes two people',
  404: 'There is no such object',
  409: 'It cannot be done as things stand; nothing was done',
  412: 'Somebody else changed it since it was read',
  413: 'The body is larger than 64 KiB',
  415: 'The body is no JSON',
  422: 'What was sent is not what it takes; nothing was done',
  428: 'A change that does not say which version it is of',
  429: 'Too many wrong keys',
  503: 'A dependency does not answer',
};

export function openApiDocument(acts: readonly Act[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const act of acts) {
    const path = act.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [act.method.toLowerCase()]: operation(act) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'didit-oidc admin API',
      version,
      description:
        'What operators do, for programs. It answers on the management listener alone. ' +
        'See docs/admin-api.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:9000/admin/v1' }],
    security: [{ key: [] }],
    tags: [...new Set(acts.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: `\`dok_…\`, made by \`didit-oidc api-keys add\`. Scopes: ${scopes.join(', ')}.`,
        },
      },
      schemas: { Problem: problemSchema },
    },
  };
}

const tagOf = ({ id }: Act): string => id.split('.', 1).join('');

function operation(act: Act): Json {
  const { id, summary, role, scope, params, query, body, answer, isVersioned, isDangerous } = act;
  return {
    operationId: id,
    summary,
    tags: [tagOf(act)],
    description: act.takesTwo
      ? 'It takes two people at the console, one after the other: never a key.'
      : `Scope: \`${scope}\`.`,
    'x-scope': scope,
    'x-role': role,
    ...(isDangerous ? { 'x-fresh-sign-in-at-the-console': true } : {}),
    parameters: [
      ...parametersIn('path', params),
      ...parametersIn('query', query),
      ...(isVersioned ? [header('If-Match', 'The `ETag` of what is changed', true)] : []),
      ...(act.method === 'POST'
        ? [header('Idempotency-Key', 'With the same one the work is done once in 24 hours', false)]
        : []),
    ],
    ...(body ? { requestBody: { required: true, content: jsonOf(schemaOf(body, 'input')) } } : {}),
    responses: {
      [act.status ?? 200]: {
        description: 'Done',
        headers: headersOf(act),
        content: jsonOf(schemaOf(answer, 'output')),
      },
      ...Object.fromEntries(
        refusalsOf(act).map((status) => [
          status,
          {
            description: refusals[status],
            content: { 'application/problem+json': { schema: { $ref: ref } } },
          },
        ]),
      ),
    },
  };
}

const ref = '#/components/schemas/Problem';

function refusalsOf({ isVersioned, body, params }: Act): string[] {
  const never = new Set([
    ...(isVersioned ? [] : ['412', '428']),
    ...(body ? [] : ['413', '415']),
    ...(params ? [] : ['404']),
  ]);
  return Object.keys(refusals).filter((status) => !never.has(status));
}

function headersOf({ answer }: Act): Json {
  const text = { type: 'string' };
  return {
    ...('version' in answer.shape
      ? { ETag: { description: 'Which version it is, for If-Match', schema: text } }
      : {}),
    ...('next' in answer.shape
      ? { Link: { description: 'The next page, where there is one', schema: text } }
      : {}),
  };
}

function parametersIn(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  if (!schema) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const { properties = {} } = schemaOf(schema, 'output') as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, described]) => {
    const isRequired = place === 'path' || !isOptional(shape[name]);
    return { name, in: place, required: isRequired, schema: described };
  });
}

const isOptional = (schema: z.core.$ZodType | undefined): boolean =>
  schema !== undefined && z.safeParse(schema, undefined).success;

const header = (name: string, description: string, required: boolean): Json => ({
  ...{ name, in: 'header', required, description },
  schema: { type: 'string' },
});

const jsonOf = (schema: Json): Json => ({ 'application/json': { schema } });

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, reused: 'inline' }) as Json;
  return rest;
}

const problemSchema = schemaOf(
  z.strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('As in docs/troubleshooting.md, and in the log'),
    detail: z.string().optional(),
    fields: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    reference: z.string().describe('Stands in the log as well'),
  }),
  'output',
);

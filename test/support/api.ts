/** A program that speaks with the admin API, and holds each answer against docs/openapi.yaml. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Actor } from '../../src/ops/acts/act.ts';
import { actNamed, scopes as allScopes } from '../../src/ops/acts/index.ts';
import type { Testbed } from './testbed.ts';

type Json = Record<string, unknown>;
interface Operation {
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: { Problem: Json } };
}

const file = fileURLToPath(new URL('../../docs/openapi.yaml', import.meta.url));
export const apiDocument = parse(readFileSync(file, 'utf8')) as Document;

export interface Said {
  status: number;
  headers: Headers;
  body: Json;
}

export interface Asking {
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
  token?: string | undefined;
}

/** The first key is made at the machine itself. */
export async function makeKey(
  bed: Testbed,
  scopes: readonly string[] = allScopes,
  more: Json = {},
): Promise<string> {
  const by: Actor = { kind: 'command', name: 'ann', role: 'admin' };
  const body = { name: 'tests', scopes, ...more };
  const made = await bed.app.perform(actNamed('api-keys.add'), { body }, by);
  return String(made['token']);
}

export function apiOf(bed: Testbed, token: string) {
  return async function call(method: string, path: string, asking: Asking = {}): Promise<Said> {
    const { body, text, headers = {} } = asking;
    const key = 'token' in asking ? asking.token : token;
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${bed.managementUrl}/admin/v1${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const answered = (await response.json()) as Json;
    requireAsDescribed(method, path, response, answered);
    return { status: response.status, headers: response.headers, body: answered };
  };
}

/** @throws when the document says otherwise. */
function requireAsDescribed(method: string, path: string, response: Response, body: Json): void {
  const operation = operationOf(method, path);
  const type = response.headers.get('content-type')?.split(';', 1)[0] ?? '';
  const isRefused = response.status >= 400;
  if (isRefused && type !== 'application/problem+json') throw new Error(`${type} for a refusal`);
  const known = operation?.responses[response.status];
  if (operation && !known && response.status !== 400) {
    throw new Error(`${method} ${path} answered ${response.status}, which is not in the document`);
  }
  const described = known?.content?.[type]?.schema;
  const schema = isRefused ? apiDocument.components.schemas.Problem : described;
  if (!schema) return;
  const parsed = z.fromJSONSchema(schema).safeParse(body);
  if (!parsed.success) throw new Error(`${method} ${path}: ${z.prettifyError(parsed.error)}`);
}

function operationOf(method: string, path: string): Operation | undefined {
  const [plain = ''] = path.split('?', 1);
  const found = Object.keys(apiDocument.paths).find((one) =>
    new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain),
  );
  return found === undefined ? undefined : apiDocument.paths[found]?.[method.toLowerCase()];
}

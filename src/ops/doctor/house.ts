/** What the doctor looks at on our own side: the store, the issuer, and what of names and faces can be told apart. */
import { existsSync } from 'node:fs';
import type { Config } from '../../config/schema.ts';
import { openStore } from '../../store/open.ts';
import { type Finding, ok, problem, reasonOf, warning } from './finding.ts';

const timeoutMs = 5_000;

export async function checkStore({ store }: Config, clock: () => number): Promise<Finding[]> {
  const file = /^sqlite:(?!:memory:)(.+)$/.exec(store.url)?.[1];
  // Opening would make it, perhaps in the name of a user who may not serve.
  if (file !== undefined && !existsSync(file)) return [ok('store', 'is made at the first start')];
  try {
    const opened = await openStore({ ...store, clock });
    try {
      await opened.store.ping();
    } finally {
      await opened.store.close();
    }
    const warnings = opened.warnings.map((text) =>
      warning('store', text, 'See docs/operations.md.'),
    );
    return warnings.length > 0 ? warnings : [ok('store', 'answers')];
  } catch (error) {
    return [problem('store', reasonOf(error), 'See docs/operations.md, "The store".')];
  }
}

export async function checkIssuer(
  issuer: string,
  fetch: typeof globalThis.fetch,
): Promise<Finding> {
  const name = 'issuer';
  let status: number;
  let says: unknown;
  try {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    says = status === 200 ? ((await response.json()) as { issuer?: unknown }).issuer : undefined;
  } catch (error) {
    return warning(
      name,
      `${issuer} does not answer: ${reasonOf(error)}`,
      'Start the provider, then look at the name, the certificate and the proxy.',
    );
  }
  if (says === issuer) return ok(name, `${issuer} answers as itself`);
  return problem(
    name,
    status === 200 ? 'another issuer answers there' : `discovery answers ${status}`,
    'Is the provider running? Then see that the proxy passes the path and the Host header on, and that ISSUER is its address.',
  );
}

/** What an outsider can tell of who has an account, and how surely a face is the enrolled one. */
export function checkFaces({
  decoyPortraitFile,
  createFloorMs,
  faceReference,
}: Config['didit']): Finding[] {
  return [unknownNames(decoyPortraitFile, createFloorMs), referenceFace(faceReference)];
}

function unknownNames(decoy: string | undefined, floorMs: number): Finding {
  const name = 'unknown names';
  if (decoy === undefined) {
    return warning(
      name,
      'who tries names can tell which of them have an account',
      'Set DIDIT_DECOY_PORTRAIT_FILE to the picture of a face that is nobody’s.',
    );
  }
  return floorMs === 0
    ? warning(
        name,
        'the time that a selfie takes to begin may tell them apart',
        'Set DIDIT_CREATE_FLOOR_MS to 500.',
      )
    : ok(
        name,
        `get a selfie like everybody; only one that takes Didit longer than ${floorMs} ms to begin could differ`,
      );
}

function referenceFace(faceReference: Config['didit']['faceReference']): Finding {
  return faceReference === 'portrait'
    ? ok('reference face', 'is the enrolled portrait, sent each time')
    : warning(
        'reference face',
        'is the one that Didit has stored: not pinned by us',
        'Use DIDIT_FACE_REFERENCE=portrait unless you have a reason.',
      );
}

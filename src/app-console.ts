/** The composition root's piece for the console: one more relying party, on the management listener. */
import { fileURLToPath } from 'node:url';
import type { RequestListener } from 'node:http';
import { operatorName } from './app-people.ts';
import type { AppOptions, Tools } from './app.ts';
import { consoleOrigin } from './config/addresses.ts';
import { inOrder } from './domain/dated.ts';
import type { OidcSide } from './oidc/side.ts';
import type { Perform } from './ops/acts/perform.ts';
import { createConsole } from './ops/console/console.ts';
import { createDrafts } from './ops/console/drafts.ts';
import { createNamesOf } from './ops/console/names.ts';
import { consolePages } from './ops/console/pages/index.ts';
import { createConsoleSessions } from './ops/console/sessions.ts';
import { createConsoleViews } from './ops/console/views.ts';
import type { Records } from './store/records.ts';
import { keptSecret } from './store/secrets.ts';
import { loadAssets } from './web/assets.ts';
import { createFormTokens } from './web/forms.ts';

const viewsDirectory = fileURLToPath(new URL('../views/console', import.meta.url));

/** Somebody with a browser who came to the wrong door is shown the right one; programs are told that there is none. */
export const isForConsole = (path: string, accept = ''): boolean =>
  /^\/console(\/|$)/.test(path) || accept.includes('text/html');

/** @returns undefined where nobody could say by which address it is reached. */
export async function openConsole(
  options: AppOptions,
  tools: Tools,
  parts: { records: Records; oidc: OidcSide; perform: Perform },
): Promise<RequestListener | undefined> {
  const { config, log } = options;
  const { records, oidc, perform } = parts;
  const { issuer, operator, didit, cookies } = config;
  const { store } = records;
  const origin = consoleOrigin(config.management);
  if (origin === undefined) return undefined;
  const assets = loadAssets({
    ...{ directory: `${viewsDirectory}/assets`, publicPath: '/console/assets/' },
    colour: operator.colour,
  });
  const { environment } = didit;
  const { provider } = oidc;
  const cookieKeys = inOrder(cookies.keys, tools.clock());
  const secret = await keptSecret(store, 'console', tools.random);
  return createConsole({
    ...{ ...records, ...tools, issuer, origin, log, perform, assets },
    sandbox: environment === 'sandbox',
    cookieKeys,
    formTokens: createFormTokens(cookieKeys),
    pages: consolePages(issuer),
    drafts: createDrafts(store, tools.random),
    views: createConsoleViews(viewsDirectory, assets, operatorName(options)),
    namesOf: createNamesOf(records),
    isUnmanned: async () => (await records.operators.list()).length === 0,
    sessions: createConsoleSessions({
      ...{ ...records, ...tools, issuer, origin, environment, provider, secret },
    }),
  });
}

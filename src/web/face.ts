/** What people see of the service, on pages and in mails: the operator's words, in the catalogues' languages. */
import { join } from 'node:path';
import type { Clock } from '../domain/environment.ts';
import type { OutageNotice } from '../domain/outage.ts';
import { loadAssets } from './assets.ts';
import { readLogo } from './logo.ts';
import { createMailWords } from './mail-words.ts';
import { createPages } from './pages.ts';
import { createShowPage } from './respond.ts';
import { loadText } from './text.ts';

export interface FaceOptions {
  issuer: string;
  operator: {
    name?: string | undefined;
    /** A file. */
    logo?: string | undefined;
    colour?: string | undefined;
    supportAddress?: string | undefined;
    privacyUrl?: string | undefined;
    termsUrl?: string | undefined;
    dataController?: string | undefined;
  };
  didit: { environment: 'live' | 'sandbox' };
}

const viewsDirectory = new URL('../../views', import.meta.url).pathname;

/** @param outage whether selfies work now; they do where nobody says otherwise. */
export function createFace(
  { issuer, operator, didit }: FaceOptions,
  clock: Clock,
  outage: () => OutageNotice | undefined = () => undefined,
) {
  const { colour, logo, name = new URL(issuer).host, ...words } = operator;
  const assets = loadAssets({ directory: join(viewsDirectory, 'assets'), colour });
  const text = loadText(join(viewsDirectory, 'locales'));
  const about = { viewsDirectory, text, sandbox: didit.environment === 'sandbox' };
  const pages = createPages({
    ...{ ...about, assets },
    operator: { ...words, name, logo: logo && readLogo(logo) },
  });
  return {
    assets,
    show: createShowPage(pages, clock, outage),
    languageFor: (uiLocales: string | undefined) => text.negotiate(uiLocales?.split(' ') ?? []),
    writeMail: createMailWords({ ...about, issuer, operator: { ...words, name } }),
  };
}

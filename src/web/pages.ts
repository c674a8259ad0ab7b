/**
 * Everything a person sees, and the only file that renders.
 *
 * A page is a value: `page` names the template in `views/`, the other fields are exactly what that
 * template needs. Templates escape everything they print; the one exception is the library's own
 * logout form. Actions are our own paths and always `POST`; what may be merely looked at again is a
 * link.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Eta } from 'eta';
import type { DenialReason } from '../domain/attempt.ts';
import type { LegName } from '../domain/assurance.ts';
import type { FactorName } from '../domain/message.ts';
import type { OutageNotice } from '../domain/outage.ts';
import type { ProblemCode } from '../domain/problem.ts';
import type { Assets } from './assets.ts';
import type { AccountPage } from './account-pages.ts';
import type { HandoffPage } from './handoff-pages.ts';
import { countryName, languageName } from './names.ts';
import { saysOutage } from './outage.ts';
import type { PeoplePage } from './people-pages.ts';
import { type Text, loadText } from './text.ts';
import { time, when } from './times.ts';

/** Who asks. The host is what the redirect address says, since anybody can choose a name. */
export interface AskingClient {
  name: string;
  host: string;
}

/** What a stranger tried, see store/accounts.ts. */
export interface PageNotice {
  kind: 'stopped' | 'ended';
  atMs: number;
  client: string;
  browser: string | undefined;
  system: string | undefined;
}

export type FallbackReason =
  Exclude<DenialReason, 'in_review' | 'cancelled'> | 'limited' | 'expired' | 'other_first';

/** For the script that has the key of this browser, see login/device-key.ts. */
export interface PageDeviceKey {
  use: 'prove' | 'make' | 'forget';
  message: string;
  name: string | undefined;
}

export type Page =
  | AccountPage
  | HandoffPage
  | PeoplePage
  | {
      page: 'identify';
      client: AskingClient;
      identifier: string | undefined;
      deviceKey: PageDeviceKey;
      error?: 'empty' | 'too_long';
      actions: {
        identify: string;
        /** Absent where none can work. */
        passkey?: string | undefined;
        otherWay: string;
        signUp?: string | undefined;
        cancel: string;
      };
    }
  | {
      page: 'capture';
      client: AskingClient;
      identifier: string;
      device: { browser: string | undefined; system: string | undefined };
      deviceKey: PageDeviceKey;
      /** The other ways in, each a value of the field `factor`. */
      ways: readonly FactorName[];
      actions: {
        selfie: string;
        passkey?: string | undefined;
        /** With the camera of a phone; absent where the app does not take that. */
        handoff?: string | undefined;
        factor: string;
        otherWay: string;
        startOver: string;
        notMe: string;
        cancel: string;
      };
    }
  | {
      page: 'waiting';
      client: AskingClient;
      /** Absent as long as the step has not happened, or nobody told us when. */
      selfieTakenAtMs?: number | undefined;
      returnedAtMs?: number | undefined;
      links: { events: string; checkAgain: string };
      /** `selfie` while the browser is not back: the page that was opened may be lost. `notMe`: on a phone. */
      actions: {
        selfie?: string | undefined;
        otherWay?: string | undefined;
        notMe?: string | undefined;
      };
    }
  | {
      page: 'continue';
      client: AskingClient;
      notices: readonly PageNotice[];
      /** Absent where this browser keeps what it has. */
      deviceKey?: PageDeviceKey | undefined;
      actions: { continue: string };
    }
  | {
      page: 'fallback';
      client: AskingClient;
      reason: FallbackReason;
      /** `tryAgain` is absent when another selfie would not be allowed. */
      actions: {
        tryAgain?: string | undefined;
        passkey?: string | undefined;
        handoff?: string | undefined;
        factor: string;
        back: string;
      };
      ways: readonly FactorName[];
    }
  | {
      page: 'factor';
      client: AskingClient;
      factor: FactorName;
      /** The first answer was right already. */
      isSecond: boolean;
      /** Those that may be used instead. */
      ways: readonly FactorName[];
      error?: 'wrong';
      /** `passkey` is absent beside the second answer as well. */
      actions: {
        answer: string;
        passkey?: string | undefined;
        factor: string;
        otherWay: string;
        cancel: string;
      };
    }
  | {
      page: 'secondLeg';
      client: AskingClient;
      /** What this person has; it may be nothing. */
      ways: readonly LegName[];
      actions: { factor: string; selfie: string; cancel: string };
    }
  | {
      page: 'passkey';
      client: AskingClient;
      /** What the browser is to ask its authenticators for, as JSON; absent: nothing is asked yet. */
      options?: string;
      error?: 'wrong';
      /** The app takes nothing else. */
      onlyPasskey: boolean;
      actions: { begin: string; answer: string; otherWay?: string | undefined; cancel: string };
    }
  | {
      /** Nothing that is decided later goes on here: what is offered is what can be done now. */
      page: 'review';
      client: AskingClient;
      actions: Extract<Page, { page: 'fallback' }>['actions'];
      ways: readonly FactorName[];
    }
  /** What happens to faces; anybody may read it. */
  | { page: 'biometrics'; kept: { atDiditDays: number; unusedDays: number } }
  | { page: 'foreign' }
  | { page: 'finished'; client?: AskingClient | undefined }
  | {
      page: 'consent';
      client: AskingClient & { privacyUrl?: string | undefined; termsUrl?: string | undefined };
      scopes: readonly string[];
      actions: { allow: string; deny: string };
    }
  | { page: 'error'; problem: ProblemCode | 'request_refused'; client?: AskingClient | undefined }
  /** `formHtml` is the library's empty form with its token; the buttons name it by its id. */
  | { page: 'logout'; client?: AskingClient | undefined; formHtml: string }
  | { page: 'loggedOut'; client?: AskingClient | undefined };

export interface PageContext {
  /** One of the catalogues, as `negotiateLocale` chose it. */
  locale: string;
  /** What the person quotes when they ask for help, and what the log carries. */
  reference?: string | undefined;
  /** For the hidden field of each form, see web/forms.ts. */
  formToken?: string | undefined;
  /** In how many seconds the time for this page is up, and the address that gives more. */
  expiry?: { inSeconds: number; moreTime: string } | undefined;
  /** Selfies do not work now. */
  outage?: OutageNotice | undefined;
}

export interface Operator {
  name: string;
  /** A `data:` URL or a path of ours: the pages' policy lets no other image in. */
  logo?: string | undefined;
  /** A mail address or a web page. */
  supportAddress?: string | undefined;
  privacyUrl?: string | undefined;
  termsUrl?: string | undefined;
  /** Who answers for the pictures, when that is not the operator by name. */
  dataController?: string | undefined;
}

export interface Pages {
  render(view: Page, context: PageContext): string;
  /** Most wanted tag first: those of `ui_locales`, then the browser's. */
  negotiateLocale(wanted: readonly string[]): string;
}

/** Several problems read the same to a person: what counts is whose turn it is now. */
const errorText: Readonly<Record<Extract<Page, { page: 'error' }>['problem'], string>> = {
  cross_site: 'other_page',
  step_missing: 'other_page',
  interaction_not_yours: 'other_browser',
  interaction_over: 'over',
  malformed: 'not_understood',
  body_too_large: 'not_understood',
  body_too_slow: 'unavailable',
  unsupported_media_type: 'not_understood',
  not_found: 'not_found',
  method_not_allowed: 'not_found',
  too_many_requests: 'too_many',
  // Operators alone are told these.
  ...{ unauthorized: 'not_understood', forbidden: 'not_understood' },
  ...{ sign_in_again: 'not_understood', invalid: 'not_understood' },
  ...{ conflict: 'not_understood', changed_meanwhile: 'not_understood' },
  version_required: 'not_understood',
  webhook_refused: 'not_understood',
  request_refused: 'request_refused',
  unavailable: 'unavailable',
  internal: 'internal',
};

export function createPages(options: {
  viewsDirectory: string;
  operator: Operator;
  sandbox: boolean;
  assets: Pick<Assets, 'href'>;
  /** The catalogues below `viewsDirectory`, where somebody has read them already. */
  text?: Text;
}): Pages {
  const { viewsDirectory, operator, sandbox, assets } = options;
  const text = options.text ?? loadText(join(viewsDirectory, 'locales'));
  const eta = loadTemplates(viewsDirectory);
  const site = {
    operator: operator.name,
    logo: operator.logo,
    controller: operator.dataController ?? operator.name,
    help: operator.supportAddress && contactHref(operator.supportAddress),
    privacy: operator.privacyUrl && webHref(operator.privacyUrl),
    terms: operator.termsUrl && webHref(operator.termsUrl),
    sandbox,
  };

  return {
    negotiateLocale: (wanted) => text.negotiate(wanted),
    render: (page, { locale, reference, formToken = '', expiry, outage }) =>
      eta.render(`@${page.page}`, {
        ...{ page, site, formToken },
        locale,
        language: languageName(locale),
        ...{ reference, expiry, outage: saysOutage(page) ? outage : undefined },
        t: text.translator(locale),
        knows: (key: string) => text.has(locale, key),
        href: assets.href,
        webHref,
        time,
        when: (atMs: number) => when(atMs, locale),
        countryName: (code: string) => countryName(code, locale),
        factorName: (name: string) => text.translator(locale)(`factor.${name}`),
        errorText: page.page === 'error' ? errorText[page.problem] : undefined,
      }),
  };
}

/** Compiled at the start, by name; nothing is read from the disk while somebody waits. */
function loadTemplates(directory: string): Eta {
  const eta = new Eta({
    autoEscape: true,
    cache: true,
    functionHeader: 'const { page, site, t, href } = it;',
  });
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.eta'))) {
    eta.loadTemplate(`@${basename(file, '.eta')}`, readFileSync(join(directory, file), 'utf8'));
  }
  return eta;
}

/** Escaping keeps a link inside its attribute, not away from `javascript:`. */
function webHref(address: string): string | undefined {
  return /^https?:\/\//i.test(address) ? address : undefined;
}

function contactHref(address: string): string | undefined {
  return (
    webHref(address) ?? (/^[^\s:/?@]+@[^\s:/?@]+$/.test(address) ? `mailto:${address}` : undefined)
  );
}

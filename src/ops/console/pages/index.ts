/** All pages, in the order of their list. */
import type { ConsolePage } from '../page.ts';
import { app } from './app.ts';
import { apps, newApp } from './apps.ts';
import { audit, explained } from './audit.ts';
import { cost } from './cost.ts';
import { didit } from './didit.ts';
import { keys } from './keys.ts';
import { operators } from './operators.ts';
import { overview } from './overview.ts';
import { newPerson, people, person } from './people.ts';
import { review, reviews } from './reviews.ts';

/** @param issuer what apps are told. */
export const consolePages = (issuer: string): readonly ConsolePage[] => [
  ...[overview, reviews, review, people, newPerson, person],
  ...[apps, newApp, app(issuer), audit, explained, cost, didit, keys, operators],
];

/** One app: what it has to be told, what is known of it, and how that is changed. */
import { z } from 'zod';
import {
  addClientSecret,
  changeClient,
  getClient,
  removeClient,
  removeClientSecret,
} from '../../acts/clients.ts';
import { listPolicies } from '../../acts/policies.ts';
import { type ConsolePage, type Values, form, linesIn, typedIn } from '../page.ts';
import { after, appOf, isOurs, name, redirects } from './app-fields.ts';
import { settingsOf } from './app-settings.ts';
import { classes, inWords } from './app-words.ts';

const secretOnce = z.object({ secret: z.string().optional() });

const version = { name: 'version', label: '', type: 'hidden' } as const;
const kept = { name: 'kept', label: '', type: 'hidden' } as const;

/** What the form asks for; all else of an app stays as it was, and is carried along. */
const asked: readonly string[] = [
  ...['client_name', 'redirect_uris', 'post_logout_redirect_uris'],
  ...['first_party', 'handoff', 'policy', 'minimum_acr'],
];

type Metadata = Readonly<Record<string, unknown>>;

const only = (metadata: Metadata, isWanted: (name: string) => boolean): Metadata =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => isWanted(key)));

const keptOf = (metadata: Metadata): string =>
  JSON.stringify(only(metadata, (key) => !asked.includes(key)));

/** What did not come back whole is refused by its name, as no word of an app's: it must not be taken for nothing. */
function keptIn(values: Values): Metadata {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(values.get('kept') ?? ''));
  } catch {
    return { kept: 'is damaged' };
  }
}

/** As the fields of the form have it. */
function valuesOf(metadata: Metadata): Record<string, string> {
  const entries = asked.map((key): [string, string] => {
    const value = metadata[key] ?? '';
    if (typeof value === 'boolean') return [key, value ? 'yes' : ''];
    if (Array.isArray(value)) return [key, value.join('\n')];
    return [key, typeof value === 'string' ? value : JSON.stringify(value)];
  });
  return { ...Object.fromEntries(entries), kept: keptOf(metadata) };
}

const change = form({
  ...{ name: 'change', act: changeClient, button: 'Change it', title: 'Change the app' },
  said: 'It is changed, and counts from the next sign-in on.',
  fields: [
    ...[version, kept, name, redirects, after, isOurs],
    {
      ...{ name: 'handoff', label: 'The selfie may be taken on a phone', type: 'check' },
    },
    {
      ...{ name: 'minimum_acr', label: 'Every sign-in is at least', type: { choose: classes } },
    },
    {
      ...{ name: 'policy', label: 'Policy', suggest: 'policies' },
      hint: 'By its name. Empty: the one that is for all.',
    },
  ],
  input(values, { id }) {
    const afterwards = linesIn(values, 'post_logout_redirect_uris');
    const body = {
      ...keptIn(values),
      ...typedIn(values, ['client_name', 'minimum_acr', 'policy']),
      redirect_uris: linesIn(values, 'redirect_uris'),
      ...(afterwards.length > 0 ? { post_logout_redirect_uris: afterwards } : {}),
      first_party: values.get('first_party') === 'yes',
      ...(values.get('handoff') === 'yes' ? { handoff: true } : {}),
    };
    return { params: { id }, body, ifVersion: values.get('version') };
  },
  done: (_, params) => ({ to: appOf(params) }),
});

const forms = [
  change,
  form({
    ...{ name: 'add-secret', act: addClientSecret, button: 'Make a new secret', isSecond: true },
    title: 'Rotate the secret',
    said: 'There is a new secret, shown this once. The old one is good until it is removed.',
    fields: [version],
    input: (values, { id }) => ({
      ...{ params: { id }, body: {}, ifVersion: values.get('version') },
    }),
    done: ({ secret }, params) => ({ to: appOf(params), once: { secret: secret.value } }),
  }),
  form({
    ...{ name: 'remove-secret', act: removeClientSecret, button: 'Remove', isGrave: true },
    said: 'The secret counts no more.',
    confirm: 'An app that still has this secret gets nobody signed in any more.',
    fields: [version, { name: 'secret', label: '', type: 'hidden' }],
    input: (values, { id }) => ({
      params: { id, secret: values.get('secret') },
      ifVersion: values.get('version'),
    }),
    done: (_, params) => ({ to: appOf(params) }),
  }),
  form({
    ...{ name: 'remove', act: removeClient, button: 'Remove the app', isGrave: true },
    said: 'The app is removed. Nobody signs in to it any more.',
    confirm:
      'Nobody signs in to this app any more, and every token that it has counts for nothing. It does not come back: its client ID is taken for a year and more.',
    fields: [version],
    input: (values, { id }) => ({ params: { id }, ifVersion: values.get('version') }),
    done: () => ({ to: '/console/apps' }),
  }),
];

export const app = (issuer: string): ConsolePage => ({
  ...{ name: 'app', path: '/apps/:id', role: 'viewer', forms },
  async show({ params: { id }, query, look, also, once: left }) {
    const client = await look(getClient, { params: { id } });
    const { policies } = await also(listPolicies);
    const once = secretOnce.safeParse(left).data;
    const settings = settingsOf(query.settings, { issuer, client, secret: once?.secret });
    const { client_id: clientId, metadata } = client;
    const title = typeof metadata.client_name === 'string' ? metadata.client_name : clientId;
    const known = inWords(only(metadata, (key) => key !== 'client_name'));
    const values = { ...valuesOf(metadata), version: client.version };
    const suggested = { policies: policies.map((one) => one.name) };
    return { title, data: { client, known, values, suggested, settings, once } };
  },
});

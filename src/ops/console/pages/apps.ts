/** Apps: those there are, and one more with the exact words that it has to be told. */
import { addClient, listClients } from '../../acts/clients.ts';
import { type Choice, type ConsolePage, form, linesIn, typedIn } from '../page.ts';
import { after, appOf, isOurs, name, redirects } from './app-fields.ts';
import { templates } from './app-settings.ts';

const kinds: readonly Choice[] = templates.map(({ id, name }) => [id, name]);

const add = form({
  ...{ name: 'add', act: addClient, button: 'Add the app' },
  said: 'The app is added. Its secret is shown this once.',
  fields: [
    {
      ...{ name: 'template', label: 'What it is', type: { choose: kinds } },
      hint: 'What it is decides how it proves who it is, and which settings are printed.',
    },
    ...[name, { ...redirects, isRequired: true as const }, after, isOurs],
    {
      ...{ name: 'client_id', label: 'Client ID' },
      hint: 'Optional: letters, digits and . _ ~ -. One is made up otherwise.',
    },
  ],
  input(values) {
    const template = templates.find(({ id }) => id === values.get('template')) ?? templates[0];
    const afterwards = linesIn(values, 'post_logout_redirect_uris');
    return {
      body: {
        ...typedIn(values, ['client_id', 'client_name']),
        redirect_uris: linesIn(values, 'redirect_uris'),
        ...(afterwards.length > 0 ? { post_logout_redirect_uris: afterwards } : {}),
        first_party: values.get('first_party') === 'yes',
        ...template?.metadata,
      },
    };
  },
  done: ({ client_id: id, secret }) => ({ to: appOf({ id }), once: { secret: secret?.value } }),
});

export const apps: ConsolePage = {
  ...{ name: 'apps', path: '/apps', inMenu: 'Apps', role: 'viewer' },
  async show({ query: { after: mark }, look, may }) {
    const query = { limit: 50, ...(mark ? { cursor: mark } : {}) };
    const { clients, next } = await look(listClients, { query });
    return { title: 'Apps', data: { clients, next, mayAdd: may('admin') } };
  },
};

export const newApp: ConsolePage = {
  ...{ name: 'new-app', path: '/new-app', role: 'admin' },
  within: '/apps',
  forms: [add],
  show: () => Promise.resolve({ title: 'Add an app', data: {} }),
};

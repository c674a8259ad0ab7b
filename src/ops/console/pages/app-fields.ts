/** What is asked about an app, when it is added and when it is changed. */
import type { Field } from '../page.ts';

export const appOf = ({ id = '' }: Readonly<Record<string, string>>): string =>
  `/console/apps/${encodeURIComponent(id)}`;

export const name: Field = {
  ...{ name: 'client_name', label: 'Name', isRequired: true },
  hint: 'People see it when they sign in.',
};
export const redirects: Field = {
  ...{ name: 'redirect_uris', label: 'Redirect addresses', type: 'lines' },
  hint: 'One a line, exactly as the app sends them.',
};
export const after: Field = {
  ...{ name: 'post_logout_redirect_uris', label: 'Addresses after signing out', type: 'lines' },
  hint: 'Optional, one a line.',
};
export const isOurs: Field = {
  ...{ name: 'first_party', label: 'It is ours: nobody is asked for consent', type: 'check' },
};

/** A form as it is drawn: empty, as somebody had filled it in before they signed in again, or with what is wrong. */
import type { Told } from '../acts/refusal.ts';
import type { ConsoleForm, Field, Values } from './page.ts';

export interface Filled {
  form: string;
  values: Values;
  told?: Told;
}

type Wrong = NonNullable<Told['fields']>;

const placeOf = (path: string): string => path.split('.')[0] ?? '';

/** @param path of the page, with its params. */
export function drawnForm(form: ConsoleForm, path: string, filled: Filled | undefined) {
  const own = filled?.form === form.name ? filled : undefined;
  const wrong = own?.told?.fields ?? [];
  const fields = (form.fields ?? []).map((field) => drawnField(field, form.name, own, wrong));
  const elsewhere = wrong.filter(
    ({ path: at }) => !fields.some(({ name }) => name === placeOf(at)),
  );
  const { name, button, title, confirm } = form;
  return {
    ...{ name, button, title, confirm, fields },
    ...{ isGrave: form.isGrave === true, isSecond: form.isSecond === true },
    action: `${path === '/console' ? '/console' : path}/${form.name}`,
    isFilled: own !== undefined,
    values: own ? Object.fromEntries(own.values) : {},
    error: own?.told && [
      wrong.length > 0
        ? 'Nothing was done: something in the form is not as it has to be.'
        : own.told.detail,
      ...elsewhere.map(({ path: at, message }) => `${at}: ${message}`),
    ],
  };
}

function drawnField(field: Field, formName: string, own: Filled | undefined, wrong: Wrong) {
  const value = own ? (own.values.get(field.name) ?? '') : (field.value ?? '');
  const isMissing = field.isRequired === true && value.trim() === '';
  const found = wrong.filter(({ path }) => placeOf(path) === field.name);
  const placed = field.type === 'rows' ? rowIn : lineIn;
  const said = found.map(({ path, message }) => `${placed(path, value)}${message}`);
  return {
    ...field,
    id: `${formName}-${field.name}`,
    type: typeof field.type === 'object' ? 'choose' : (field.type ?? 'text'),
    choices: typeof field.type === 'object' ? field.type.choose : [],
    value,
    error: found.length === 0 ? undefined : isMissing ? 'This is needed.' : said.join(' '),
  };
}

const rowIn = (path: string): string => `${path.split('.').slice(1, -1).join('.')}: `;

/** Of several lines, which one is wrong. */
function lineIn(path: string, value: string): string {
  const [, at = ''] = path.split('.');
  return /^\d+$/.test(at) && value.trim().includes('\n') ? `Line ${Number(at) + 1}: ` : '';
}

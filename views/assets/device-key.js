// The key of this browser. It cannot be read out of it (WebCrypto, not extractable), only used; the server keeps the
// other half. Beside it lies the name that the person typed, so that it need not be typed again; it stays here.
//
//   <form data-device-key="prove|make|forget" data-message="…" data-name="…">
//     what is signed goes along with the form as `device_key`, `device_signature` and, of a new key, `device_key_x`, `_y`
//
//   prove   by the key under the name in the field `identifier`, else under `data-name`
//   make    one for `data-name`; then the form is sent
//   forget  whatever is kept under `data-name`; then the form is sent
//
// Where any of it fails, the form goes without.
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const patienceMs = 2000;

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function openKeys(mode) {
  const opening = indexedDB.open('didit-oidc', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys', { keyPath: 'name' });
  const database = await settled(opening);
  return database.transaction('keys', mode).objectStore('keys');
}

const lower = (name) => name.trim().toLowerCase();
const find = async (name) => settled((await openKeys('readonly')).get(lower(name)));
const keep = async (entry) => settled((await openKeys('readwrite')).put(entry));
const forget = async (name) => settled((await openKeys('readwrite')).delete(lower(name)));

async function latest() {
  const all = await settled((await openKeys('readonly')).getAll());
  return all.sort((one, other) => other.usedAt - one.usedAt)[0];
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

function add(form, name, value) {
  const field = document.createElement('input');
  Object.assign(field, { type: 'hidden', name, value });
  form.append(field);
}

async function sign(form, { id, pair }) {
  const message = new TextEncoder().encode(form.dataset.message);
  const signature = await crypto.subtle.sign(algorithm, pair.privateKey, message);
  add(form, 'device_key', id);
  add(form, 'device_signature', base64url(signature));
}

async function prove(form) {
  const typed = form.elements.namedItem('identifier')?.value;
  // Whoever has two names has one key: the server knows whose it is.
  const entry = (await find(typed ?? form.dataset.name ?? '')) ?? (await latest());
  if (!entry) return;
  await sign(form, entry);
  await keep({ ...entry, usedAt: Date.now() });
}

async function make(form) {
  const { name } = form.dataset;
  // Should one be there already, the account has it no longer.
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const entry = {
    name: lower(name),
    shown: name,
    id: base64url(crypto.getRandomValues(new Uint8Array(32))),
    pair,
  };
  const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  await sign(form, entry);
  add(form, 'device_key_x', x);
  add(form, 'device_key_y', y);
  await keep({ ...entry, usedAt: Date.now() });
}

const tasks = { prove, make, forget: (form) => forget(form.dataset.name) };

// A browser that keeps nothing, or is slow about it, must not keep anybody waiting.
const within = (work) =>
  Promise.race([work, new Promise((resolve) => setTimeout(resolve, patienceMs))]).catch(
    () => undefined,
  );

function isMeant(submitter) {
  // Buttons that lead elsewhere say nothing of who is there.
  return !submitter?.hasAttribute('formaction');
}

for (const form of document.querySelectorAll('form[data-device-key]')) {
  let isDone = false;
  form.addEventListener('submit', async (event) => {
    if (isDone || !isMeant(event.submitter)) return;
    event.preventDefault();
    isDone = true;
    await within(tasks[form.dataset.deviceKey](form));
    form.requestSubmit(event.submitter);
  });
  const field = form.elements.namedItem('identifier');
  if (field && field.value === '') {
    const entry = await within(latest());
    if (entry && field.value === '') {
      field.value = entry.shown;
      for (const text of document.querySelectorAll('[data-welcome]')) text.hidden = false;
    }
  }
  if ('submit' in form.dataset) form.requestSubmit();
}

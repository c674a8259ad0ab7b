// Hands what a form wants to the browser, and the browser's answer to the form, which then is sent as any other:
//
//   <form data-passkey="create|get" data-options="…JSON…">  data-begin as well: at once, without a press of the button
//     <input type="hidden" name="credential">               takes the answer, as JSON
//     <p data-tells="unsupported" hidden>                    shown where the browser has no passkeys,
//     <p data-tells="failed" hidden>                         … when none came of it,
//     <p data-tells="known" hidden>                          … when this authenticator has one already
//
// A button with a `formaction` leads where it says, without a passkey.
const parsers = {
  create: 'parseCreationOptionsFromJSON',
  get: 'parseRequestOptionsFromJSON',
};

function tell(form, what) {
  for (const text of form.querySelectorAll('[data-tells]')) {
    text.hidden = text.dataset.tells !== what;
  }
}

async function answer(form) {
  const { passkey: kind, options } = form.dataset;
  const Credential = globalThis.PublicKeyCredential;
  const parse = parsers[kind];
  if (typeof Credential?.[parse] !== 'function') {
    tell(form, 'unsupported');
    return;
  }
  tell(form, undefined);
  try {
    const publicKey = Credential[parse](JSON.parse(options));
    const credential = await navigator.credentials[kind]({ publicKey });
    form.elements.namedItem('credential').value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    tell(form, error.name === 'InvalidStateError' ? 'known' : 'failed');
  }
}

for (const form of document.querySelectorAll('form[data-passkey]')) {
  let isAsking = false;
  form.addEventListener('submit', async (event) => {
    if (event.submitter?.hasAttribute('formaction')) return;
    event.preventDefault();
    if (isAsking) return;
    isAsking = true;
    await answer(form);
    isAsking = false;
  });
  if ('begin' in form.dataset) form.requestSubmit();
}

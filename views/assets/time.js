// Says a minute before it that the time for this page is up. More of it is had by one press, and what was typed stays.
const warnBeforeMs = 60_000;

function watch(form) {
  // Where less is left already, it is said at once.
  const warnInMs = Number(form.dataset.expiresIn) * 1000 - warnBeforeMs;
  setTimeout(() => {
    form.hidden = false;
    // Put in now, so that it is said now.
    const text = form.querySelector('template').content.textContent;
    form.querySelector('[role=alert]').textContent = text;
  }, warnInMs);
}

async function askForMore(form) {
  const answer = await fetch(form.action, {
    method: 'POST',
    body: new URLSearchParams(new FormData(form)),
  });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const next = page.querySelector('[data-expires-in]');
  form.hidden = true;
  if (!next) return;
  form.dataset.expiresIn = next.dataset.expiresIn;
  watch(form);
}

for (const form of document.querySelectorAll('[data-expires-in]')) {
  watch(form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    askForMore(form).catch(() => form.submit());
  });
}

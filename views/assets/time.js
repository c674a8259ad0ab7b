// Says a minute before it that the time for this page is up. More of it is had by one press, and what was typed stays.
const warnBeforeMs = 60_000;

function watch(form) {
  const inMs = Number(form.dataset.expiresIn) * 1000;
  setTimeout(
    () => {
      form.hidden = false;
      // Put in now, so that it is said now.
      form.querySelector('[role=alert]').textContent =
        form.querySelector('template').content.textContent;
    },
    Math.max(0, inMs - warnBeforeMs),
  );
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

// The page is right without this script, only slower. The event says no more than "look again": what there is
// to see is decided by the server, each time anew.
const fallbackReloadMs = 3000;
const reload = () => globalThis.location.reload();

const steps = document.querySelector('[data-events]');
const events = new EventSource(steps.dataset.events);
events.addEventListener('message', () => {
  events.close();
  reload();
});
events.addEventListener('error', () => {
  events.close();
  setTimeout(reload, fallbackReloadMs);
});

// What is left of the time for a code; when there is none, the page itself has other news.
for (const left of document.querySelectorAll('[data-left]')) {
  const endsAt = performance.now() + Number(left.dataset.left) * 1000;
  const timer = setInterval(() => {
    const leftMs = endsAt - performance.now();
    left.textContent = leftMs > 0 ? (leftMs / 1000).toFixed() : '0';
    if (leftMs <= 0) clearInterval(timer);
  }, 1000);
}

for (const time of document.querySelectorAll('time')) {
  time.textContent = new Date(time.dateTime).toLocaleTimeString(document.documentElement.lang);
}

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

for (const time of document.querySelectorAll('time')) {
  time.textContent = new Date(time.dateTime).toLocaleTimeString(document.documentElement.lang);
}

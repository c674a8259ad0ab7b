/** Times as pages say them. */

/** UTC, since the server does not know the zone; the page's script turns it into local time. */
export function time(atMs: number): { iso: string; clock: string } {
  const iso = new Date(atMs).toISOString();
  return { iso, clock: `${iso.slice(11, 19)} UTC` };
}

/** A day and a time, as they are written in this language; in UTC, and so it says. */
export function when(atMs: number, locale: string): { iso: string; text: string } {
  const format = new Intl.DateTimeFormat(locale, {
    ...{ dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' },
  });
  return { iso: new Date(atMs).toISOString(), text: `${format.format(atMs)} UTC` };
}

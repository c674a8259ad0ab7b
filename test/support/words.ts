/** What is said, as text, without what is random in it: any three letters stand in some long id sooner or later. */
export function wordsOf(said: unknown): string {
  return JSON.stringify(said).replaceAll(/(?=[\w-]*[A-Z\d])[\w-]{20,}/g, '…');
}

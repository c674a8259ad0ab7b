/** Without what is random in it: any few letters stand in some long id, or in what is sealed, sooner or later. */
export const withoutIds = (text: string): string =>
  text.replaceAll(/(?=[\w-]*[A-Z\d])[\w-]{20,}/g, '…');

/** What is said, as text, without what is random in it. */
export const wordsOf = (said: unknown): string => withoutIds(JSON.stringify(said));

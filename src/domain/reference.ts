/** The reference on a person's page, as they read it out and somebody types it. */
export const asReference = (typed: string): string => typed.trim().toUpperCase();

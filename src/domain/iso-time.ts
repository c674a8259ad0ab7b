/** As people and programs read it: RFC 3339, UTC, with milliseconds. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();

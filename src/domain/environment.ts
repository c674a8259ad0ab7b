/** What the outside world supplies, as arguments, so that a test can supply it instead. */

/** Milliseconds since the epoch. */
export type Clock = () => number;

/** Unpredictable bytes as base64url text. */
export type Random = (bytes: number) => string;

/** SHA-256 as base64url text: how nonces are kept. */
export type Hash = (text: string) => string;

/** Resolves after so many milliseconds. */
export type Sleep = (ms: number) => Promise<void>;

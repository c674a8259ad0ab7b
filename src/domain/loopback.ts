/** This machine, as browsers name it in an address (RFC 8252 section 7.3); a name below `localhost` is somebody's choice. */
export const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);

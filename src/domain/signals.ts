/**
 * What is known of somebody who asks to come in, in the words that a policy's rules are written in. What cannot be
 * told counts as new, never as known: a signal that is missing must not spare anybody anything.
 */

/** Before the selfie. */
export interface Signals {
  /** A device key that was proven just now; `resting` while it is too young to stand for a selfie. */
  device: 'known' | 'resting' | 'new';
  /** Another factor was shown in this very attempt: a typed code, or a passkey. */
  factor: 'shown' | 'none';
  /** Address block, country and autonomous system: was this account's selfie accepted there before? */
  network: 'known' | 'new';
  country: 'known' | 'new';
  autonomous_system: 'known' | 'new';
  /** By the operator's lists. */
  tor: boolean;
  vpn: boolean;
  hosting: boolean;
  /** `impossible`: nobody gets from the last accepted place to this one in the time between. */
  travel: 'possible' | 'impossible';
  /** Since this account's last accepted selfie or passkey; Infinity when there was none. */
  hours_since_proof: number;
  /** Selfies that were declined in a row, for this kind of device. */
  failures: number;
  /** Sign-ins to this account that were begun within the last hour, this one included. */
  starts: number;
  /** The last selfies were only just alike enough. */
  drift: 'near' | 'none';
}

/** After a selfie that Didit approved and that passed every check of our own. */
export interface SeenSignals {
  locality: 'agrees' | 'cannot_tell';
  /** By Didit's analysis of the device that took the selfie. */
  seen_vpn_or_tor: boolean;
  seen_data_center: boolean;
  seen_duplicate: boolean;
  seen_other_address: boolean;
  /** A selfie that was handed off to a phone: how the phone's network relates to that of the asking browser. */
  handoff: 'none' | 'same_network' | 'same_country' | 'other_country' | 'cannot_tell';
}

export type SignalName = keyof Signals;
export type SeenSignalName = keyof SeenSignals;

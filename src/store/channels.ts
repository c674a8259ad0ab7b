/**
 * Who in this process listens to which channel. Both drivers hear a message once and fan it out
 * here.
 */
export type Listener = (message: string) => void;

export function createChannels() {
  const channels = new Map<string, Set<Listener>>();

  /**
   * @returns a function that takes the listener off, and says whether it was the channel's last.
   */
  function listen(channel: string, listener: Listener): () => boolean {
    // The same function may listen twice, so each subscription is an entry of its own.
    const entry: Listener = (message) => listener(message);
    const entries = channels.get(channel) ?? new Set();
    channels.set(channel, entries.add(entry));
    return function leave() {
      const wasThere = entries.delete(entry);
      if (!wasThere || entries.size > 0) return false;
      return channels.delete(channel);
    };
  }

  function deliver(channel: string, message: string): void {
    for (const listener of channels.get(channel) ?? []) listener(message);
  }

  return { listen, deliver };
}

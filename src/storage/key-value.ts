// The smallest store that an identity or a set of roots needs: named records, each durable before the call returns.

/** Where records are kept: a folder, Preferences, flash. Everything is done before a call returns. */
export interface KeyValueStore {
  /** The record under a key, or undefined where there is none. What it returns is not changed later. */
  get(key: string): Uint8Array | undefined;
  /**
   * Keeps a record under a key of up to 15 characters, small letters, digits and `-`, in place of an earlier one. May throw.
   * A power cut may leave a torn record: whoever reads it finds out. One that leaves the old record is better.
   */
  put(key: string, record: Uint8Array): void;
  /** Forgets a record; one that is not there is ignored. */
  remove(key: string): void;
}

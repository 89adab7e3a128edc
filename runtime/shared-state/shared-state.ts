// The port to what decision processes share: sealed tokens, leases, marks of what was seen once. It knows no tokens:
// keys are digests and values are opaque texts, sealed by whoever writes them.

import type { Result } from '#core/result.ts';

/** Nothing was learnt and nothing is known to be done: the callers go on with what they have. */
export type SharedFault = 'unavailable';

export type SharedEntry = {
  readonly value: string;
  /** From now, by the clock of whoever keeps it; it is gone afterwards. More than 0. */
  readonly lifetimeMs: number;
  /** Under this name it goes in one `removeOwned`; absent: it goes by itself. */
  readonly owner?: string;
};

/**
 * Everything waits at most as long as the backend is told to, and never throws; once it is stopped all is `unavailable`.
 * Keys, values, owners and holders are well-formed texts of any content; a key may be long, a value megabytes.
 * Values and leases have names of their own: the lease of a key says nothing of a value under it.
 */
export type SharedState = {
  /** The value of a key, undefined where there is none or its time is over. */
  read(key: string): Promise<Result<string | undefined, SharedFault>>;
  /** Replaces what was there. */
  write(key: string, entry: SharedEntry): Promise<Result<true, SharedFault>>;
  remove(key: string): Promise<Result<true, SharedFault>>;
  /** Removes every entry written for an owner. */
  removeOwned(owner: string): Promise<Result<true, SharedFault>>;
  /**
   * Takes a key that nobody holds: true for exactly one asker until its time is over or the holder gives it back, and
   * false for the holder too. A lease may last a little longer than it was asked for (Cosmos: 2 s), and never shorter.
   * A lease, or, never given back, the proof that something was not seen before.
   */
  claim(
    key: string,
    lease: { readonly holder: string; readonly lifetimeMs: number },
  ): Promise<Result<boolean, SharedFault>>;
  /** Gives a claimed key back; nothing happens if the holder is another by now. */
  release(key: string, holder: string): Promise<Result<true, SharedFault>>;
  stop(): Promise<void>;
};

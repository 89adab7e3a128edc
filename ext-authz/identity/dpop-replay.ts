// Which DPoP proofs were used (RFC 9449 §11.1): a port, and the memory of one process behind it. Bounded for each key and
// each tenant, so that neither can take what the others need; what cannot be remembered is not let through. What all
// processes remember together is in shared-dpop-replay.ts.

import { createHash } from 'node:crypto';

export type UsedProof = {
  readonly tenantId: string;
  /** Thumbprint of the key. An id is unique for its key only. */
  readonly jkt: string;
  readonly jti: string;
};

export type ReplayMemory = {
  /**
   * Marks a proof as used. Asking and marking are one step: of two that ask at once, one is told `fresh`.
   * @param windowSeconds how long the proof could still be taken for good, from now.
   * @returns `unknown` where it can be neither found nor kept; `fresh_here` where this process has it for the first time
   * and cannot learn what the others had.
   */
  use(proof: UsedProof, time: ProofTime): Promise<ReplayFinding>;
};

export type ReplayFinding = 'fresh' | 'fresh_here' | 'used' | 'unknown';

export type ProofTime = { readonly nowSeconds: number; readonly windowSeconds: number };

/** Names a proof without repeating what a caller wrote. */
export const proofId = ({ tenantId, jkt, jti }: UsedProof): string =>
  createHash('sha256')
    .update(JSON.stringify([tenantId, jkt, jti]))
    .digest('base64url');

export type ReplayLimits = {
  readonly perKey: number;
  readonly perTenant: number;
  readonly total: number;
};

/** A hundred calls a second of one caller, over the two minutes of the longest window; about 50 MB when all is full. */
const DEFAULT_LIMITS: ReplayLimits = { perKey: 12_000, perTenant: 100_000, total: 200_000 };

type Entry = { readonly owners: readonly string[]; readonly until: number };

/** Counts that go when they are zero. */
const createCounts = () => {
  const counts = new Map<string, number>();
  return {
    of: (name: string): number => counts.get(name) ?? 0,
    add: (name: string, by: 1 | -1): void => {
      const count = (counts.get(name) ?? 0) + by;
      if (count === 0) counts.delete(name);
      else counts.set(name, count);
    },
  };
};

/** What one process remembers: alone, it is all there is to know. */
export const createReplayMemory = (
  limits: ReplayLimits = DEFAULT_LIMITS,
): ReplayMemory & { size(): number } => {
  // In order of marking, which is the order of forgetting but for the length of windows: an entry behind a longer one
  // stays a little too long, never too short.
  const entries = new Map<string, Entry>();
  const counts = createCounts();

  const forget = (nowSeconds: number): void => {
    for (const [key, { owners, until }] of entries) {
      if (until >= nowSeconds) return;
      entries.delete(key);
      for (const owner of owners) counts.add(owner, -1);
    }
  };
  return {
    use: async (proof, { nowSeconds, windowSeconds }) => {
      const { tenantId, jkt } = proof;
      forget(nowSeconds);
      const [tenant, key] = [JSON.stringify([tenantId]), JSON.stringify([tenantId, jkt])] as const;
      const id = proofId(proof);
      if (entries.has(id)) return 'used';
      const isFull =
        counts.of(key) >= limits.perKey ||
        counts.of(tenant) >= limits.perTenant ||
        entries.size >= limits.total;
      if (isFull) return 'unknown';
      entries.set(id, { owners: [tenant, key], until: nowSeconds + windowSeconds });
      for (const owner of [tenant, key]) counts.add(owner, 1);
      return 'fresh';
    },
    size: () => entries.size,
  };
};

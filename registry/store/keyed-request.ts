// Requests that name themselves, and what is kept of them (docs/decisions/016-idempotency-keys.md).

/** A request that named itself with an Idempotency-Key, and the attempt at it that holds the key. */
export type KeyedRequest = { readonly scope: string; readonly owner: string };

export type KeyReservation = KeyedRequest & {
  readonly tenantId: string;
  /** Digest of everything that makes the request the one it is. */
  readonly fingerprint: string;
};

export type KeptAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * `reserved`: the request is this attempt's to do. `other-request`: the key was used for another one. `running`: another
 * attempt has it. `answered`: it was done. `unanswered`: it was done, in the commit of that sequence, and the registry
 * ended before its answer was kept. `full`: the tenant has too many keys.
 */
export type KeyState =
  | { readonly kind: 'reserved' }
  | { readonly kind: 'other-request' | 'running' | 'full' }
  | { readonly kind: 'answered'; readonly answer: KeptAnswer }
  | { readonly kind: 'unanswered'; readonly sequence: number };

// What a command yields: the tenant after it and the changes in words, or why it is refused, field by field.

import type { JsonObject } from '#core/json.ts';
import type { Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';

export type Fault = {
  /** JSON Pointer (RFC 6901) into the resource that was sent; empty for the whole of it. */
  readonly pointer: string;
  readonly message: string;
};

/**
 * `invalid`: the resource itself is at fault. `conflict`: it is well made, and something else in the tenant stands
 * against it. `not-found`: what the command is about does not exist. `unconfirmed`: it would add access that nobody
 * has said they have seen. `forbidden`: it needs a role that the sender does not have.
 */
export type Refusal = {
  readonly kind: 'invalid' | 'conflict' | 'not-found' | 'unconfirmed' | 'forbidden';
  readonly faults: readonly Fault[];
  /** What the sender must see to go on. */
  readonly details?: JsonObject;
};

export type Accepted = {
  /** The revision is not counted up here: the store does that when it commits. */
  readonly tenant: Tenant;
  /** One line a change, for the revision's reader. Empty: nothing differs, nothing is to be committed. */
  readonly changes: readonly string[];
};

export type Outcome = Result<Accepted, Refusal>;

/** Judges a URL against the deployment's egress rules; the error is a sentence. Given by the egress guard. */
export type CheckUrl = (url: string) => Result<URL, string>;

export const notFound = (what: string): Refusal => ({
  kind: 'not-found',
  faults: [{ pointer: '', message: `${what} does not exist` }],
});

export const conflict = (message: string, pointer = ''): Refusal => ({
  kind: 'conflict',
  faults: [{ pointer, message }],
});

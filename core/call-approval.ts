// A call that a person has to approve before it goes on: what is asked, what became of it. An approval is about one
// caller and one call with exactly these parameters, is used once, and ends by itself.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import type { JsonObject } from '#core/json.ts';

/** How long a question waits for somebody, and a refusal stands, milliseconds. */
export const APPROVAL_WAIT_MS = 60 * 60_000;

/** How long a granted approval waits to be used, milliseconds: the agent asks again within minutes, or has given up. */
export const APPROVAL_USE_MS = 15 * 60_000;

/** Longest parameters that are put before a person, bytes of JSON. Nobody approves what he cannot read. */
export const MAX_SHOWN_BYTES = 32 * 1024;

/** The call somebody is asked about. */
export type ApprovalSubject = {
  readonly tenantId: string;
  readonly serverId: string;
  /** The version it was judged by: another one may do something else under the same name. */
  readonly version: string;
  readonly method: string;
  /** What it reaches for: the tool, prompt or resource. */
  readonly targets: readonly string[];
  /** What the call carries, as the server will get it, without `_meta`. */
  readonly params: JsonObject;
  /** Key of the caller (core/identity.ts). */
  readonly principal: string;
  /** Client id of the application that calls, or through which the user does. */
  readonly application?: string;
  /** Names of the rules that demand the approval, sorted. */
  readonly rules: readonly string[];
};

export type ApprovalQuestion = ApprovalSubject & {
  /** For screens only: names are reassigned and never decided by. */
  readonly callerName?: string;
};

/** What the asker is told. `granted` is said once: whoever hears it has used it up. */
export type ApprovalAnswer =
  | {
      readonly state: 'pending';
      readonly id: string;
      /** Where a person finds it in the registry's API. */
      readonly url: string;
      /** RFC 3339. */
      readonly expiresAt: string;
    }
  | { readonly state: 'granted'; readonly id: string }
  | { readonly state: 'refused'; readonly id: string }
  /** The caller, or the tenant, has too many questions open. */
  | { readonly state: 'too-many' };

/** SHA-256 over everything the approval is about, hex: the same call asks the same question. */
export const approvalDigest = (subject: ApprovalSubject): string => {
  const { tenantId, serverId, version, method, targets, principal, application, rules } = subject;
  const about = [tenantId, serverId, version, method, targets, principal, application ?? null, rules];
  return createHash('sha256')
    .update(canonicalJson([...about, subject.params]))
    .digest('hex');
};

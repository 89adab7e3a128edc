// The registry's words for calls that wait for a person: what is kept of one, and what is asked for.

import type { ApprovalQuestion } from '#core/call-approval.ts';

export const CALL_APPROVAL_STATES = ['pending', 'granted', 'refused', 'used', 'expired'] as const;
export type CallApprovalState = (typeof CALL_APPROVAL_STATES)[number];

export type CallApproval = {
  /** Counts those of all tenants; orders a list. */
  readonly number: number;
  readonly id: string;
  readonly state: CallApprovalState;
  /** SHA-256 of what is asked, hex. */
  readonly digest: string;
  readonly question: ApprovalQuestion;
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  readonly decision?: { readonly actor: string; readonly reason: string; readonly atMs: number };
};

/** A question as it comes in; `newId` is the id it gets if nobody has asked it yet. */
export type AskedApproval = {
  readonly question: ApprovalQuestion;
  readonly newId: string;
  readonly nowMs: number;
};

export type CallApprovalsPage = {
  readonly before?: number;
  readonly limit: number;
  readonly state?: CallApprovalState;
  readonly serverId?: string;
};

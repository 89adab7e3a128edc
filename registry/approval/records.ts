// What is kept about approvals: who published what, who registered the keys it is signed with, and what was decided.
// It is no configuration, so it makes no revisions and no restore brings it back.

import type { Requests } from '#registry/approval/definition.ts';
import { NO_PINS, type Pins } from '#registry/approval/pins.ts';

/** One publishing of a version, by an admin or by a signed manifest. */
export type Submission = {
  readonly serverId: string;
  readonly version: string;
  /** The admin's principal, or `publisher:{id}#{kid}`. */
  readonly actor: string;
  /** RFC 3339. */
  readonly at: string;
  readonly requests: Requests;
  /** Of a signed manifest. */
  readonly signer?: Signer;
};

export type Signer = { readonly publisherId: string; readonly kid: string };

/** An admin who brought a publisher's key into the tenant, and may therefore hold its other half. */
export type KeyRegistration = Signer & { readonly actor: string; readonly at: string };

/**
 * `approved`: its definition became the pins. `rejected`: it may not be served. `passed`: it was put into service and
 * needed no approval then; it may be served again, and the pins are what they were.
 */
export const VERDICTS = ['approved', 'rejected', 'passed'] as const;
export type Verdict = (typeof VERDICTS)[number];

export type Decision = {
  readonly serverId: string;
  readonly version: string;
  readonly verdict: Verdict;
  /** Of the definition (definition.ts): a name that is published anew with other content has no decision. */
  readonly definition: string;
  /** Of the review that was seen. */
  readonly digest: string;
  readonly actor: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly at: string;
};

/** Everything that is kept about one server id. */
export type ServerRecords = {
  readonly pins: Pins;
  /** The last one first. */
  readonly submissions: readonly Submission[];
  /** The last one first. */
  readonly decisions: readonly Decision[];
};

/** Everything that is kept about a tenant, or about one of its servers. */
export type ApprovalRecords = {
  /** Number of the tenant's last decision; what is written from these records is written only if it still is. */
  readonly mark: number;
  readonly servers: ReadonlyMap<string, ServerRecords>;
  readonly keyRegistrations: readonly KeyRegistration[];
};

export const NO_RECORDS: ServerRecords = { pins: NO_PINS, submissions: [], decisions: [] };

// What a revocation has to be before it is a mark, whichever way it comes: of a tenant, an issuer and a directory that are
// there, and of a moment from which something could still live.

import { err, type Result } from '#core/result.ts';
import {
  MAX_REVOCATION_REASON,
  type RevocationAnswer,
  type RevocationFault,
  type RevocationReport,
} from '#core/revocation.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';
import { MAX_TOKEN_LIFETIME_SECONDS } from '#core/token-lifetime.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { RecordedRevocation } from '#registry/store/revocation.ts';
import type { Store } from '#registry/store/store.ts';

/** How far a provider's clock may be ahead of ours, seconds. Further, a mark would be a lock for which there are switches. */
const MAX_AHEAD_SECONDS = 300;

/** Issuers tolerate clocks that differ (`clockToleranceSeconds`); a token may be believed that much longer. */
const TOLERATED_SECONDS = 3_600;

type RevocationRequest = RevocationReport & {
  /** Who says so; a program that is no caller of the API has a name of its own in the audit. */
  readonly actor: string;
  /** The API request it comes from, if it is one. */
  readonly request?: ChangeRecord['request'];
};

/**
 * Records that what began before `notBefore` (seconds) counts no more. Idempotent: a mark of the target that says as much
 * already stays as it is, `changed` is false, and nothing is written.
 */
export type RecordRevocation = (
  request: RevocationRequest,
) => Promise<Result<RecordedRevocation, RevocationFault>>;

const findFault = (
  tenant: Tenant,
  { target, notBefore }: RevocationReport,
  { nowSeconds, until }: { readonly nowSeconds: number; readonly until: number },
): RevocationFault | undefined => {
  if (target.kind === 'directory-user') {
    const tid = target.tid.toLowerCase();
    const isKnown = tenant.issuers.some(({ directoryTenants }) =>
      directoryTenants.some((known) => known.toLowerCase() === tid),
    );
    if (!isKnown) return 'directory-unknown';
  } else if (findIssuer(tenant, target.issuerId) === undefined) return 'issuer-unknown';
  if (notBefore > nowSeconds + MAX_AHEAD_SECONDS) return 'not-before-ahead';
  return until <= nowSeconds ? 'ended' : undefined;
};

/**
 * @param parts.sessionMaxAgeSeconds how long a session may go on (`SESSION_MAX_AGE_SECONDS`): marks outlive both the tokens
 *   and the sessions from before them.
 */
export const createRevocationRecorder =
  (parts: {
    readonly store: Pick<Store, 'findTenant' | 'recordRevocation'>;
    readonly sessionMaxAgeSeconds: number;
    readonly nowMs: () => number;
    readonly newId: () => string;
  }): RecordRevocation =>
  async ({ actor, request, ...report }) => {
    const { store, sessionMaxAgeSeconds, nowMs, newId } = parts;
    const stored = await store.findTenant(report.tenantId);
    if (stored === undefined) return err('tenant-unknown');
    const at = new Date(nowMs()).toISOString();
    const nowSeconds = Math.floor(nowMs() / 1000);
    const lifetime = Math.max(MAX_TOKEN_LIFETIME_SECONDS + TOLERATED_SECONDS, sessionMaxAgeSeconds);
    const until = report.notBefore + lifetime;
    const fault = findFault(stored.tenant, report, { nowSeconds, until });
    if (fault !== undefined) return err(fault);
    const reason = report.reason.slice(0, MAX_REVOCATION_REASON);
    const by = report.source === 'operator' ? { actor } : {};
    const revocation = { ...report, id: newId(), reason, ...by, at, until };
    const action = `revoke ${report.target.kind}`;
    const keyed = request === undefined ? {} : { request };
    return store.recordRevocation({
      revocation,
      record: { actor, action, reason, at, ...keyed },
      nowSeconds,
    });
  };

/** The same for services that report what they have learnt; an operator's word comes by the API only. */
export const createReportAnswers =
  (record: RecordRevocation) =>
  async (report: RevocationReport): Promise<RevocationAnswer> => {
    const recorded = await record({ ...report, actor: `mcpgw:${report.source}` });
    return recorded.ok
      ? { state: 'recorded', id: recorded.value.stored.id, changed: recorded.value.changed }
      : { state: 'refused', fault: recorded.error };
  };

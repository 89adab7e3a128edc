// The store as the rest of the registry knows it: tenants with their history, the audit chain, events, and the feed's
// reading. SQLite or Postgres is behind it; both pass what test/support/store-contract.ts asks of a store.

import type { FeedEvent } from '#core/feed-message.ts';
import type { Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { MadeDecision } from '#registry/approval/decide.ts';
import type { ApprovalRecords, Submission } from '#registry/approval/records.ts';
import type { ResourceName } from '#registry/commands/resources.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import type { FeedSource } from '#registry/feed/feed-source.ts';
import type { AskedApproval, CallApproval, CallApprovalsPage } from '#registry/store/call-approval.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { DriftStore } from '#registry/store/drift.ts';
import type { KeptAnswer, KeyedRequest, KeyReservation, KeyState } from '#registry/store/keyed-request.ts';
import type { PolicyBundleSummary, StoredPolicyBundle } from '#registry/store/policy-bundle.ts';
import type { RecordedRevocation, RevocationWrite, StoredRevocation } from '#registry/store/revocation.ts';
import type { SeenConsumer } from '#registry/store/seen-consumer.ts';
import type { SignalStore } from '#registry/store/signal.ts';
import type { SignatureId } from '#registry/store/signature-id.ts';

/** In which revision each resource last changed: its ETag. It never repeats, because revisions only go up. */
export type ResourceStamps = Readonly<Record<ResourceName, number>>;

export type StoredTenant = {
  readonly tenant: Tenant;
  readonly sequence: number;
  readonly stamps: ResourceStamps;
};

/** A signed manifest that became a version. */
export type ManifestSummary = {
  /** Counts manifests of all tenants; orders a list. */
  readonly number: number;
  readonly serverId: string;
  readonly version: string;
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
  readonly publisherId: string;
  readonly kid: string;
  /** RFC 3339. */
  readonly at: string;
};

/** With its exact bytes and the value of X-JWS-Signature, so that anybody can verify it again. */
export type StoredManifest = ManifestSummary & { readonly bytes: Uint8Array; readonly signature: string };

export type Publication = Omit<StoredManifest, 'number'> & { readonly id: SignatureId };

/** Decisions that are kept with a change, if no other was made since they were judged. */
export type MarkedDecisions = {
  /** ApprovalRecords.mark of what they were judged from. */
  readonly mark: number;
  readonly made: readonly MadeDecision[];
};

/** A decision by itself. It changes no tenant, so it makes no revision; it is audited like one. */
export type DecisionWrite = {
  /** The tenant that was judged. `stale` if it is another one by now. */
  readonly before: StoredTenant;
  readonly decisions: MarkedDecisions;
  readonly record: ChangeRecord;
};

export type TenantWrite = {
  readonly tenantId: string;
  /**
   * What the change was made from, as this store gave it; undefined if the tenant must not exist. What is unchanged
   * in `tenant` should be the same objects: comparing them then costs nothing.
   */
  readonly before: StoredTenant | undefined;
  /** The tenant after the change, its `revision` ignored; null removes it. */
  readonly tenant: Tenant | null;
  readonly changes: readonly string[];
  readonly record: ChangeRecord;
  /** The manifest the change comes from. `stale` also if its signature was used meanwhile. */
  readonly publication?: Publication;
  /** The publishing of a version that the change is, also one by an admin. */
  readonly submission?: Submission;
  /** What was decided by the change. */
  readonly decisions?: MarkedDecisions;
};

export type Committed = {
  /** Absent after a removal. */
  readonly stored?: StoredTenant;
  readonly revision: number;
  readonly sequence: number;
};

export type RevisionSummary = ChangeRecord & {
  readonly number: number;
  readonly sequence: number;
  readonly changes: readonly string[];
};

/** One revision with the tenant as it stood after; null where the tenant was removed. */
export type Revision = RevisionSummary & { readonly tenant: Tenant | null };

/** A write that was refused, or several of one caller to one route within a second. */
export type RefusalRecord = {
  /** Undefined where nobody was established: a manifest whose signature does not hold. */
  readonly actor: string | undefined;
  readonly tenantId: string;
  /** Method and route. */
  readonly action: string;
  readonly at: string;
  readonly status: number;
  /** Code of the problem document. */
  readonly code: string;
  readonly count: number;
};

export type AuditRecord = {
  /** Counts the records of all tenants without a gap. */
  readonly number: number;
  readonly kind: 'change' | 'event' | 'refusal';
  readonly tenantId: string;
  /** `erased` once the subject was; empty where nobody was established. */
  readonly actor: string;
  readonly action: string;
  readonly reason: string;
  readonly at: string;
  /** Of the commit; a refusal is none. */
  readonly sequence?: number;
  /** Whom it is about, where that is somebody else: the target of a revocation, as one text. `erased` once it was. */
  readonly target?: string;
  readonly status?: number;
  readonly code?: string;
  readonly count?: number;
  /** Absent from records that were written before the chain had a key. */
  readonly mac?: string;
};

/** A verdict on a call that waits for a person, and by whom. */
export type CallVerdict = {
  readonly tenantId: string;
  readonly id: string;
  readonly verdict: 'granted' | 'refused';
  readonly record: ChangeRecord;
  readonly nowMs: number;
};

/** Newest first: entries below `before`, at most `limit`. */
export type Page = { readonly before?: number; readonly limit: number };

/** Which records: by whom, from `since` on, before `until` (RFC 3339 in UTC, as records have it). */
export type RecordFilter = { readonly actor?: string; readonly since?: string; readonly until?: string };

export type RevisionsPage = Page &
  RecordFilter & {
    /** Name of a resource that the revision changed, or that holds one it changed. */
    readonly resource?: string;
  };

export type AuditPage = Page &
  RecordFilter & {
    /** What the action begins with. */
    readonly action?: string;
  };

export type PolicyBundleWrite = {
  readonly tenantId: string;
  readonly bundle: Omit<StoredPolicyBundle, 'number'>;
  readonly record: ChangeRecord;
};

export type PolicyBundleRemoval = {
  readonly tenantId: string;
  readonly digest: string;
  readonly record: ChangeRecord;
};

/** Why a bundle is not removed: there is none, or the tenant's policy names it. */
export type NotRemoved = 'unknown' | 'in-service';

export type ManifestsPage = Page & { readonly serverId?: string };

/**
 * Every method rejects with GatewayError `store_failed` if the store is broken. A write that resolved survives
 * the death of the process and of the machine; one that did not has left nothing behind, or is whole.
 */
export type Store = Omit<FeedSource, 'findPolicyBundle'> &
  SignalStore &
  DriftStore & {
    findTenant(tenantId: string): Promise<StoredTenant | undefined>;
    /** Sorted by id. */
    listTenants(): Promise<readonly StoredTenant[]>;
    /**
     * Commits tenant, revision, audit record and decisions together. `stale`: the tenant is no longer what `before`
     * says, a decision was made since its own were judged, or a host name is another tenant's by now.
     */
    write(write: TenantWrite): Promise<Result<Committed, 'stale'>>;
    /** Commits an event and its audit record together; resolves with the sequence. */
    announce(event: FeedEvent, record: ChangeRecord): Promise<number>;
    /** Commits a decision, the pins it makes and its audit record together; resolves with the sequence. */
    decide(write: DecisionWrite): Promise<Result<number, 'stale'>>;
    /**
     * What became of a question about a call, which is put if nobody has. A granted approval is used up by this.
     * `too-many`: the caller or the tenant has too many open.
     */
    askApproval(asked: AskedApproval): Promise<Result<CallApproval, 'too-many'>>;
    /** Commits the decision about a call with its audit record. `not-pending`: there is none that waits. */
    decideApproval(verdict: CallVerdict): Promise<Result<number, 'not-pending'>>;
    findCallApproval(question: {
      readonly tenantId: string;
      readonly id: string;
      readonly nowMs: number;
    }): Promise<CallApproval | undefined>;
    /** Newest first. */
    listCallApprovals(
      tenantId: string,
      wanted: { readonly page: CallApprovalsPage; readonly nowMs: number },
    ): Promise<readonly CallApproval[]>;
    /**
     * Commits a mark with its audit record, or leaves the one of its target that says as much. `full`: the tenant has as
     * many as it may.
     */
    recordRevocation(write: RevocationWrite): Promise<Result<RecordedRevocation, 'full'>>;
    findRevocation(tenantId: string, id: string): Promise<StoredRevocation | undefined>;
    /** Newest first; among them such as have ended since the last one was made. */
    listRevocations(tenantId: string, page: Page): Promise<readonly StoredRevocation[]>;
    /**
     * Keeps a bundle and its audit record together; resolves with the sequence. It changes no tenant, so it makes no
     * revision. One that is there already is left as it is. `full`: the tenant has as many as it may.
     */
    keepPolicyBundle(write: PolicyBundleWrite): Promise<Result<number, 'full'>>;
    /** Forgets a bundle, with an audit record; resolves with the sequence. One that the policy names stays. */
    forgetPolicyBundle(write: PolicyBundleRemoval): Promise<Result<number, NotRemoved>>;
    /** Newest first. */
    listPolicyBundles(tenantId: string, page: Page): Promise<readonly PolicyBundleSummary[]>;
    findPolicyBundle(tenantId: string, digest: string): Promise<StoredPolicyBundle | undefined>;
    /** What reviews are made from, of all servers of a tenant there have ever been or of one of them. */
    findApprovals(tenantId: string, serverId?: string): Promise<ApprovalRecords>;
    listRevisions(tenantId: string, page: RevisionsPage): Promise<readonly RevisionSummary[]>;
    findRevision(tenantId: string, number: number): Promise<Revision | undefined>;
    listAudit(tenantId: string, page: AuditPage): Promise<readonly AuditRecord[]>;
    /** Newest first. */
    listManifests(tenantId: string, page: ManifestsPage): Promise<readonly ManifestSummary[]>;
    findManifest(tenantId: string, digest: string): Promise<StoredManifest | undefined>;
    /** What a manifest is held against. Versions outlive their server and their tenant. */
    findPublished(
      tenantId: string,
      version: { readonly serverId: string; readonly version: string },
    ): Promise<{ readonly versions: readonly string[]; readonly digestOfVersion: string | undefined }>;
    /** Which tenants have these host names; a name that nobody has is not in it. */
    findHostHolders(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
    isSpent(id: SignatureId): Promise<boolean>;
    /** Uses up a signature without a write. False: it was used before. */
    spend(id: SignatureId, nowSeconds: number): Promise<boolean>;
    /** Takes the key of a request, if nobody has it. Keys older than a day are forgotten. */
    reserveKey(reservation: KeyReservation, nowMs: number): Promise<KeyState>;
    /** Keeps the answer of a request that was done. False: the key is another attempt's by now. */
    keepAnswer(request: KeyedRequest, answer: KeptAnswer): Promise<boolean>;
    /** Gives back the key of a request that was refused and changed nothing. */
    releaseKey(request: KeyedRequest): Promise<void>;
    /** Says which consumers one registry sees, in place of what it said of them before. */
    reportConsumers(report: {
      readonly replica: string;
      readonly entries: readonly ConsumerEntry[];
      readonly nowMs: number;
    }): Promise<void>;
    /** What every registry has said within the last hour, newest first. */
    listConsumers(): Promise<readonly SeenConsumer[]>;
    recordRefusal(refusal: RefusalRecord): Promise<void>;
    /** Signs the end of the audit chain, if that has moved. */
    signAudit(at: string): Promise<void>;
    /** What is wrong with the audit, in one line; undefined if nothing is. */
    findAuditFault(): Promise<string | undefined>;
    close(): Promise<void>;
  };

// The store over either database: each query is written once, the dialect is the engine's.

import { describeVerdict, isSound } from '#core/audit/verdict.ts';
import { err, ok, type Result } from '#core/result.ts';
import { findApprovals } from '#registry/store/approvals.ts';
import { askApproval } from '#registry/store/ask-approval.ts';
import { type AuditSecrets, appendRefusal, signEnd } from '#registry/store/audit-append.ts';
import { listAudit } from '#registry/store/audit-log.ts';
import { verifyDatabase } from '#registry/store/audit-verify.ts';
import { findCallApproval, listCallApprovals } from '#registry/store/call-approvals.ts';
import { createCommitWatch } from '#registry/store/commit-watch.ts';
import { decideApproval } from '#registry/store/decide-approval.ts';
import type { DriftStore } from '#registry/store/drift.ts';
import { listDrift, listDriftingServers, takeDrift } from '#registry/store/drifts.ts';
import { writeEvent } from '#registry/store/events.ts';
import { readBatch } from '#registry/store/feed-batch.ts';
import { findHostHolders } from '#registry/store/host-names.ts';
import { keepAnswer, releaseKey, reserveKey } from '#registry/store/idempotency.ts';
import { findManifest, findPublished, isSpent, listManifests, spendId } from '#registry/store/manifests.ts';
import {
  deletePolicyBundle,
  findPolicyBundle,
  listPolicyBundles,
  writePolicyBundle,
} from '#registry/store/policy-bundles.ts';
import { createPresentTenants, type PresentTenants } from '#registry/store/present-tenants.ts';
import { findRevision, listRevisions } from '#registry/store/revisions.ts';
import { findRevocation, listRevocations, recordRevocation } from '#registry/store/revocations.ts';
import { listConsumers, reportConsumers } from '#registry/store/seen-consumers.ts';
import { lastSequence } from '#registry/store/sequence.ts';
import type { SignalStore } from '#registry/store/signal.ts';
import { listSignalChannels, takeSignal } from '#registry/store/signals.ts';
import type { Committed, Store, StoredTenant } from '#registry/store/store.ts';
import type { Database } from '#registry/store/tables.ts';
import { guardStore, inReadTransaction, inTransaction } from '#registry/store/transaction.ts';
import { writeDecision } from '#registry/store/write-decision.ts';
import { StaleWrite, type Written, writeTenant } from '#registry/store/write-tenant.ts';

/** What differs between the databases. */
export type StoreEngine = {
  readonly database: Database;
  readonly audit: AuditSecrets;
  readonly epoch: string;
  /** Number of the last commit when the store was opened. */
  readonly sequence: number;
  /** Part of every commit: tells other processes of it, once it is one. */
  readonly announceCommit: (transaction: Database) => Promise<void>;
  /** Calls `look` when another process may have committed; the end of it is `close`. */
  readonly listen: (look: () => void) => void;
  readonly close: () => Promise<void>;
};

type Keys = Pick<Store, 'reserveKey' | 'keepAnswer' | 'releaseKey'>;

type Consumers = Pick<Store, 'reportConsumers' | 'listConsumers'>;

type CallApprovals = Pick<Store, 'askApproval' | 'findCallApproval' | 'listCallApprovals'>;

type Writes = Pick<
  Store,
  | 'write'
  | 'decide'
  | 'decideApproval'
  | 'announce'
  | 'keepPolicyBundle'
  | 'forgetPolicyBundle'
  | 'recordRevocation'
  | 'spend'
  | 'recordRefusal'
  | 'signAudit'
>;

type Reads = Omit<
  Store,
  | 'epoch'
  | 'onCommit'
  | 'close'
  | keyof Keys
  | keyof Writes
  | keyof Consumers
  | keyof CallApprovals
  | keyof SignalStore
  | keyof DriftStore
>;

const findAuditFault = async (
  database: Database,
  { keys, signer }: AuditSecrets,
): Promise<string | undefined> => {
  const verdict = await verifyDatabase(database, { keys, signers: [signer] });
  return verdict === undefined || isSound(verdict) ? undefined : describeVerdict(verdict);
};

const listTenants = async (database: Database, tenants: PresentTenants): Promise<readonly StoredTenant[]> => {
  const rows = await database
    .selectFrom('tenants')
    .selectAll()
    .where('born', 'is not', null)
    .orderBy('id')
    .execute();
  const found: StoredTenant[] = [];
  for (const { born, ...head } of rows) {
    if (born !== null) found.push((await tenants.load(database, { ...head, born })).stored);
  }
  return found;
};

const createReads = ({ database, audit }: StoreEngine, tenants: PresentTenants): Reads => ({
  lastSequence: () => guardStore(() => lastSequence(database)),
  readAfter: (from, limit, known) =>
    inReadTransaction(database, (all) => readBatch(all, tenants, { from, limit, known })),
  findTenant: (tenantId) =>
    inReadTransaction(database, async (all) => (await tenants.find(all, tenantId))?.stored),
  listTenants: () => inReadTransaction(database, (all) => listTenants(all, tenants)),
  findApprovals: (tenantId, serverId) =>
    inReadTransaction(database, (all) => findApprovals(all, tenantId, serverId)),
  listRevisions: (tenantId, page) =>
    guardStore(() => listRevisions(database, audit.keys, { tenantId, page })),
  findRevision: (tenantId, number) =>
    inReadTransaction(database, (all) => findRevision(all, audit.keys, { tenantId, number })),
  listAudit: (tenantId, page) => guardStore(() => listAudit(database, { keys: audit.keys, tenantId, page })),
  findAuditFault: () => inReadTransaction(database, (all) => findAuditFault(all, audit)),
  listManifests: (tenantId, page) => guardStore(() => listManifests(database, tenantId, page)),
  findManifest: (tenantId, digest) => guardStore(() => findManifest(database, tenantId, digest)),
  listPolicyBundles: (tenantId, page) => guardStore(() => listPolicyBundles(database, tenantId, page)),
  findPolicyBundle: (tenantId, digest) => guardStore(() => findPolicyBundle(database, tenantId, digest)),
  findPublished: (tenantId, version) =>
    inReadTransaction(database, (all) => findPublished(all, tenantId, version)),
  findRevocation: (tenantId, id) => guardStore(() => findRevocation(database, tenantId, id)),
  listRevocations: (tenantId, page) => guardStore(() => listRevocations(database, tenantId, page)),
  findHostHolders: (names) => guardStore(() => findHostHolders(database, names)),
  isSpent: (id) => guardStore(() => isSpent(database, id)),
});

const createKeys = (database: Database): Keys => ({
  reserveKey: (reservation, nowMs) =>
    inTransaction(database, (transaction) => reserveKey(transaction, reservation, nowMs)),
  keepAnswer: (request, answer) => guardStore(() => keepAnswer(database, request, answer)),
  releaseKey: (request) => guardStore(() => releaseKey(database, request)),
});

const createConsumers = (database: Database): Consumers => ({
  reportConsumers: (report) => inTransaction(database, (transaction) => reportConsumers(transaction, report)),
  listConsumers: () => guardStore(() => listConsumers(database)),
});

const createCallApprovals = (database: Database): CallApprovals => ({
  askApproval: (asked) => inTransaction(database, (transaction) => askApproval(transaction, asked)),
  findCallApproval: (wanted) => guardStore(() => findCallApproval(database, wanted)),
  listCallApprovals: (tenantId, wanted) => guardStore(() => listCallApprovals(database, tenantId, wanted)),
});

const committedOf = ({ present, revision, sequence }: Written): Committed => ({
  ...(present === undefined ? {} : { stored: present.stored }),
  revision,
  sequence,
});

/** Undoing is done by throwing; what a stale write throws is not a fault. */
const undoStale = async <T>(work: () => Promise<T>): Promise<Result<T, 'stale'>> => {
  try {
    return ok(await work());
  } catch (thrown) {
    if (thrown instanceof Error && thrown.cause instanceof StaleWrite) return err('stale');
    throw thrown;
  }
};

type Commits = {
  readonly commit: <T>(work: (transaction: Database) => Promise<T>) => Promise<T>;
  readonly committed: (sequence: number) => void;
};

const createSignals = (database: Database, { commit, committed }: Commits): SignalStore => ({
  takeSignal: async (signal) => {
    const taken = await commit((transaction) => takeSignal(transaction, signal));
    if (taken === 'repeated') return false;
    if (taken.sequence > 0) committed(taken.sequence);
    return true;
  },
  listSignalChannels: () => guardStore(() => listSignalChannels(database)),
});

const createRevocations = (
  audit: AuditSecrets,
  { commit, committed }: Commits,
): Pick<Store, 'recordRevocation'> => ({
  recordRevocation: async (write) => {
    const recorded = await commit((transaction) => recordRevocation(transaction, audit, write));
    if (recorded.ok && recorded.value.changed) committed(recorded.value.stored.sequence);
    return recorded;
  },
});

const createDrift = ({ database, audit }: StoreEngine, { commit, committed }: Commits): DriftStore => ({
  takeDrift: async (write) => {
    const step = await commit((transaction) => takeDrift(transaction, audit, write));
    if (step.sequence !== undefined) committed(step.sequence);
    return step;
  },
  listDrift: (server, page) => inReadTransaction(database, (all) => listDrift(all, server, page)),
  listDriftingServers: () => guardStore(() => listDriftingServers(database)),
});

const createPolicyBundles = (
  audit: AuditSecrets,
  { commit, committed }: Commits,
): Pick<Store, 'keepPolicyBundle' | 'forgetPolicyBundle'> => ({
  keepPolicyBundle: async (write) => {
    const kept = await commit((transaction) => writePolicyBundle(transaction, audit, write));
    if (kept.ok) committed(kept.value);
    return kept;
  },
  forgetPolicyBundle: async (write) => {
    const forgotten = await commit((transaction) => deletePolicyBundle(transaction, audit, write));
    if (forgotten.ok) committed(forgotten.value);
    return forgotten;
  },
});

/** The store over an open, migrated database. */
export const createSqlStore = (engine: StoreEngine): Store => {
  const { database, epoch, audit } = engine;
  const tenants = createPresentTenants();
  const watch = createCommitWatch(engine.sequence, () => lastSequence(database));
  engine.listen(() => watch.look());
  const commit = async <T>(work: (transaction: Database) => Promise<T>): Promise<T> =>
    inTransaction(database, async (transaction) => {
      const result = await work(transaction);
      await engine.announceCommit(transaction);
      return result;
    });
  const commits = { commit, committed: watch.committed };
  return {
    ...createReads(engine, tenants),
    ...createKeys(database),
    ...createConsumers(database),
    ...createCallApprovals(database),
    epoch,
    write: (write) =>
      undoStale(async () => {
        const written = await commit((transaction) =>
          writeTenant(transaction, { tenants, secrets: audit }, write),
        );
        if (written.present !== undefined) tenants.keep(written.present);
        watch.committed(written.sequence);
        return committedOf(written);
      }),
    decide: (write) =>
      undoStale(async () => {
        const sequence = await commit((transaction) => writeDecision(transaction, audit, write));
        watch.committed(sequence);
        return sequence;
      }),
    decideApproval: async (verdict) => {
      const decided = await commit((transaction) => decideApproval(transaction, audit, verdict));
      if (decided.ok) watch.committed(decided.value);
      return decided;
    },
    announce: async (event, record) => {
      const sequence = await commit((transaction) => writeEvent(transaction, audit, { event, record }));
      watch.committed(sequence);
      return sequence;
    },
    ...createSignals(database, commits),
    ...createDrift(engine, commits),
    ...createPolicyBundles(audit, commits),
    ...createRevocations(audit, commits),
    spend: (id, nowSeconds) => inTransaction(database, (transaction) => spendId(transaction, id, nowSeconds)),
    recordRefusal: (refusal) =>
      inTransaction(database, (transaction) => appendRefusal(transaction, audit, refusal)),
    signAudit: (at) => inTransaction(database, (transaction) => signEnd(transaction, audit, at)),
    onCommit: watch.onCommit,
    close: async () => {
      watch.stop();
      await guardStore(engine.close);
    },
  };
};

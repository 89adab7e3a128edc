// How every change is made: read, check the precondition, run the pure command, commit if nobody was faster. A race
// with a change of another resource is run again; one that touched the same resource fails its precondition.

import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { judgePassage } from '#registry/api/approvals/serving-gate.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { judgeNamedBundles } from '#registry/api/policies/named-bundles.ts';
import { type Problem, problemFromRefusal } from '#registry/api/problem.ts';
import { tenantBytes } from '#registry/api/tenant-size.ts';
import type { Submission } from '#registry/approval/records.ts';
import type { Manner } from '#registry/approval/serve.ts';
import { changedResources } from '#registry/commands/changed-resources.ts';
import { conflict, type Refusal } from '#registry/commands/outcome.ts';
import { findExcess, judgeResource } from '#registry/feed/schema/parse-patch.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { Committed, MarkedDecisions, Publication, StoredTenant } from '#registry/store/store.ts';

/** Lost races before the client is told; each means that another change was committed meanwhile. */
const MAX_ATTEMPTS = 5;

/** The same for what is done in an emergency. With the pauses between them: some ten seconds. */
const MAX_URGENT_ATTEMPTS = 100;

/** Longest pause after a lost race of an urgent change, milliseconds: several that keep step would lose for ever. */
const URGENT_PAUSE_MS = 200;

/** A tenant must fit into one message of the feed (64 MiB) with room to grow. */
const MAX_TENANT_BYTES = 32 * 1024 * 1024;

export type TenantChangeRequest = {
  readonly tenantId: string;
  readonly record: ChangeRecord;
  /** The signed manifest the change comes from. */
  readonly publication?: Publication;
  /** It only switches off, and must not be sent away because others are busy with the tenant. */
  readonly isUrgent?: boolean;
  /** The publishing of a version that the change is. */
  readonly submission?: Submission;
  /** How the change puts versions into service, if it does; `brought-back` if it does not say. */
  readonly manner?: Manner;
  /** What stands against the change before it is even tried: no such resource, wrong ETag. */
  readonly judge: (stored: StoredTenant | undefined) => Problem | undefined | Promise<Problem | undefined>;
  /** `tenant` null in the result removes the tenant. */
  readonly command: (
    tenant: Tenant | undefined,
  ) => Result<{ readonly tenant: Tenant | null; readonly changes: readonly string[] }, Refusal>;
};

export type TenantChanged = {
  /** The tenant as it stands now; absent after its removal. */
  readonly stored?: StoredTenant;
  readonly revision: number;
  readonly before: StoredTenant | undefined;
};

/** A change that could be committed to `before`. Empty `changes`: there is nothing to commit. */
export type PreparedChange = {
  readonly before: StoredTenant | undefined;
  readonly tenant: Tenant | null;
  readonly changes: readonly string[];
  /** What is decided by serving what it serves. */
  readonly decisions?: MarkedDecisions;
};

type Attempt = Result<TenantChanged, Problem | 'stale'>;

/** Where the tenant would hold what it may not, if anywhere; only what changed is looked at. */
const findUnfit = (before: Tenant | undefined, after: Tenant): string | undefined => {
  for (const { name, after: body } of changedResources(before, after)) {
    const judged = judgeResource({ name, body: body ?? null });
    if (!judged.ok) return judged.error;
  }
  return findExcess(after);
};

/** Consumers refuse what they cannot read and what does not fit a message, so it must not be committed. */
const judgeSize = (before: Tenant | undefined, tenant: Tenant | null): Refusal | undefined => {
  if (tenant === null) return undefined;
  const unfit = findUnfit(before, tenant);
  if (unfit !== undefined) return conflict(`the tenant would hold more than it may, at ${unfit}`);
  return tenantBytes(tenant) > MAX_TENANT_BYTES
    ? conflict(`the tenant would be larger than ${MAX_TENANT_BYTES} bytes`)
    : undefined;
};

const unchanged = (before: StoredTenant): TenantChanged => ({
  stored: before,
  revision: before.tenant.revision,
  before,
});

/** Nothing is served that does not get through the gate, whatever command made it served. */
const pass = async (
  { store }: ApiContext,
  { record, manner = 'brought-back' }: TenantChangeRequest,
  prepared: PreparedChange,
): Promise<Result<PreparedChange, Problem>> => {
  const { before, tenant } = prepared;
  if (tenant === null) return ok(prepared);
  const passed = await judgePassage(store, { before: before?.tenant, after: tenant, record, manner });
  if (!passed.ok) return passed;
  return ok(passed.value === undefined ? prepared : { ...prepared, decisions: passed.value });
};

/** The record of a change that is an approval as well says so. */
const recordFor = (record: ChangeRecord, decisions: MarkedDecisions | undefined): ChangeRecord =>
  decisions?.made.some(({ pinned }) => pinned !== undefined) === true
    ? { ...record, action: `approve and ${record.action}` }
    : record;

/** Everything up to the commit: what a change would make of the tenant as it stands, or why not. Writes nothing. */
export const prepareChange = async (
  context: ApiContext,
  request: TenantChangeRequest,
): Promise<Result<PreparedChange, Problem>> => {
  const before = await context.store.findTenant(request.tenantId);
  const problem = await request.judge(before);
  if (problem !== undefined) return err(problem);
  const outcome = request.command(before?.tenant);
  if (!outcome.ok) return err(problemFromRefusal(outcome.error));
  const { tenant, changes } = outcome.value;
  const tooLarge =
    before !== undefined && changes.length === 0 ? undefined : judgeSize(before?.tenant, tenant);
  const refusal = tooLarge ?? (await judgeNamedBundles(context.store, before?.tenant, tenant));
  if (refusal !== undefined) return err(problemFromRefusal(refusal));
  return pass(context, request, { before, tenant, changes });
};

const attempt = async (context: ApiContext, request: TenantChangeRequest): Promise<Attempt> => {
  const { tenantId, publication, submission } = request;
  const prepared = await prepareChange(context, request);
  if (!prepared.ok) return prepared;
  const { before, changes, decisions } = prepared.value;
  if (before !== undefined && changes.length === 0) return ok(unchanged(before));
  const written = await context.store.write({
    tenantId,
    record: recordFor(request.record, decisions),
    ...prepared.value,
    ...(publication === undefined ? {} : { publication }),
    ...(submission === undefined ? {} : { submission }),
  });
  return written.ok ? ok(changed(written.value, before)) : err('stale');
};

const changed = ({ stored, revision }: Committed, before: StoredTenant | undefined): TenantChanged => ({
  ...(stored === undefined ? {} : { stored }),
  revision,
  before,
});

const BUSY: Problem = {
  status: 412,
  code: 'precondition-failed',
  detail: 'The tenant is being changed by others at this moment. Try again.',
};

const tryOften = async (context: ApiContext, request: TenantChangeRequest): Promise<Attempt> => {
  const { isUrgent = false } = request;
  for (let tries = 0; tries < (isUrgent ? MAX_URGENT_ATTEMPTS : MAX_ATTEMPTS); tries += 1) {
    const result = await attempt(context, request);
    if (result.ok || result.error !== 'stale') return result;
    if (isUrgent) await sleep(Math.random() * URGENT_PAUSE_MS);
  }
  return err(BUSY);
};

/**
 * Changes a tenant, or leaves it as it is and says why. A command that changes nothing commits nothing.
 * @throws GatewayError `store_failed`.
 */
export const changeTenant = async (
  context: ApiContext,
  request: TenantChangeRequest,
): Promise<Result<TenantChanged, Problem>> => {
  const result = await tryOften(context, request).catch((thrown: unknown) => {
    context.onWrite('failed');
    throw thrown;
  });
  if (!result.ok) {
    context.onWrite('refused');
    return err(result.error === 'stale' ? BUSY : result.error);
  }
  context.onWrite(result.value.stored === result.value.before ? 'unchanged' : 'committed');
  return ok(result.value);
};

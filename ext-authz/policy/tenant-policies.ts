// The policies of tenants, in service: follows what tenants name, loads it beside what judges, and swaps it in between two
// calls. Whatever fails leaves the old one; where there is none, the tenant's calls are refused, because its admin has
// asked for something to judge them. What costs too much is taken out again.

import { type Deny, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import type { BundleMember } from '#core/tenant-policy.ts';
import type { BundleFiles } from '#ext-authz/policy/bundle-files.ts';
import type { TenantPolicies } from '#ext-authz/policy/call-policy.ts';
import type { LoadBundle, LoadFault } from '#ext-authz/policy/load-bundle.ts';
import type { TenantPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createStrikes } from '#ext-authz/policy/strikes.ts';
import {
  type Asked,
  createTenantEngine,
  revisionOfBundle,
  type TenantEngine,
} from '#ext-authz/policy/tenant-engine.ts';
import type { Logger } from '#runtime/logger.ts';
import type { PolicyThread } from '#runtime/policy/policy-thread.ts';

/** How often what may pass is tried again, milliseconds. */
const RETRY_MS = 5_000;

type Loaded = { readonly id: string; readonly digest: string; readonly engine: TenantEngine };

type Entry = {
  wanted: string;
  /** Of the tenant that said so. */
  revision: number;
  serving: Loaded | undefined;
  /** Digest of what served before it. */
  previous: string | undefined;
  /** Ends when `wanted` serves or has failed. */
  loading: Promise<void> | undefined;
  fault: LoadFault | undefined;
};

export type TenantPolicyService = TenantPolicies & {
  /** Follows a snapshot; resolves once everything in it serves or has failed. */
  follow(snapshot: Snapshot): Promise<void>;
  /** What is there to be asked now, without waiting for it. */
  serving(tenant: Tenant): TenantEngine | undefined;
  /** Tenants that are not judged by what they name. */
  failing(): readonly string[];
  stop(): Promise<void>;
};

export type TenantPolicyParts = {
  readonly thread: PolicyThread;
  readonly load: LoadBundle;
  readonly files: BundleFiles;
  readonly logger: Logger;
  readonly metrics: TenantPolicyMetrics;
  /** Which of the bundles that a tenant names. */
  readonly member: BundleMember;
  /** Called when other tenants fail than before, without a snapshot. */
  readonly onChanged?: () => void;
  readonly retryMs?: number;
};

class Service implements TenantPolicyService {
  readonly #parts: TenantPolicyParts;
  readonly #entries = new Map<string, Entry>();
  /** What judged before the restart. */
  readonly #judgedBefore: Map<string, string>;
  readonly #retry: NodeJS.Timeout;
  #saved: Promise<void> = Promise.resolve();
  /** Ids in the thread never repeat: what is dropped late must not be what came after it. */
  #count = 0;

  constructor(parts: TenantPolicyParts, judgedBefore: ReadonlyMap<string, string>) {
    this.#parts = parts;
    this.#judgedBefore = new Map(judgedBefore);
    this.#retry = setInterval(() => void this.#tryAgain(), parts.retryMs ?? RETRY_MS).unref();
  }

  async follow({ tenants, sequence }: Snapshot): Promise<void> {
    const named = new Set(
      tenants.filter((tenant) => this.#digestOf(tenant) !== undefined).map(({ id }) => id),
    );
    for (const id of this.#entries.keys()) if (!named.has(id)) this.#forget(id);
    if (sequence > 0)
      for (const id of this.#judgedBefore.keys()) if (!named.has(id)) this.#judgedBefore.delete(id);
    const entries = tenants.flatMap((tenant) => this.#track(tenant) ?? []);
    await Promise.all(entries.map(({ loading }) => loading));
  }

  async engineOf(tenant: Tenant): Promise<Result<TenantEngine, Deny>> {
    const known = this.#entries.get(tenant.id);
    // A call that waited for keys has the tenant as it was: what it named before is not brought back for that.
    const entry = known !== undefined && tenant.revision < known.revision ? known : this.#track(tenant);
    // The first bundle of a tenant: nothing may judge in its place, and it is there in a moment.
    if (entry?.serving === undefined) await entry?.loading;
    if (entry?.serving !== undefined) return ok(entry.serving.engine);
    return err(
      deny('policy_failed', { log: { tenant: tenant.id, fault: entry?.fault?.message ?? 'not loaded' } }),
    );
  }

  serving(tenant: Tenant): TenantEngine | undefined {
    return this.#digestOf(tenant) === undefined ? undefined : this.#entries.get(tenant.id)?.serving?.engine;
  }

  failing(): readonly string[] {
    return [...this.#entries].filter(([, { fault }]) => fault !== undefined).map(([id]) => id);
  }

  async stop(): Promise<void> {
    clearInterval(this.#retry);
    await this.#parts.thread.stop();
    await this.#saved;
  }

  #digestOf(tenant: Tenant): string | undefined {
    return tenant.policy?.[this.#parts.member]?.digest;
  }

  /** The entry of a tenant, at work on what the tenant names. */
  #track(tenant: Tenant): Entry | undefined {
    const digest = this.#digestOf(tenant);
    if (digest === undefined) return undefined;
    const { id, revision } = tenant;
    const known = this.#entries.get(id);
    const isNamed = known?.wanted === digest;
    const entry: Entry = known ?? {
      wanted: digest,
      revision,
      serving: undefined,
      previous: undefined,
      loading: undefined,
      fault: undefined,
    };
    Object.assign(entry, { wanted: digest, revision });
    this.#entries.set(id, entry);
    if (!isNamed) this.#begin(id, entry);
    return entry;
  }

  #begin(tenantId: string, entry: Entry): void {
    this.#afterOthers(entry, () => this.#bring(tenantId, entry));
  }

  /** One after the other: two at once could end in the wrong order. */
  #afterOthers(entry: Entry, work: () => Promise<void>): void {
    const before = entry.loading ?? Promise.resolve();
    const loading = before.then(work).finally(() => {
      if (entry.loading === loading) entry.loading = undefined;
    });
    entry.loading = loading;
  }

  /** What judged before a restart first: it needs nobody, and judges until what is wanted is there. */
  async #bring(tenantId: string, entry: Entry): Promise<void> {
    const before = this.#judgedBefore.get(tenantId);
    this.#judgedBefore.delete(tenantId);
    if (before !== undefined && entry.serving === undefined)
      await this.#place(tenantId, entry, { digest: before, isProven: true });
    const { wanted } = entry;
    const isThere = entry.serving?.digest === wanted;
    const fault = isThere
      ? undefined
      : await this.#place(tenantId, entry, { digest: wanted, isProven: false });
    if (entry.wanted === wanted && this.#entries.get(tenantId) === entry)
      this.#settle(tenantId, entry, fault);
  }

  /** Loads a bundle and puts it in the place of what serves. */
  async #place(
    tenantId: string,
    entry: Entry,
    { digest, isProven }: { readonly digest: string; readonly isProven: boolean },
  ): Promise<LoadFault | undefined> {
    const { thread, load, metrics } = this.#parts;
    try {
      const bundle = await load({ tenant: tenantId, digest }, { isProven });
      if (!bundle.ok) return bundle.error;
      this.#count += 1;
      const id = `${tenantId}/${digest}/${this.#count}`;
      const loaded = await thread.load(id, bundle.value);
      if (!loaded.ok) return { message: loaded.error.message, mayPass: loaded.error.kind !== 'threw' };
      const [count, strikes] = [metrics.asked(tenantId), createStrikes()];
      const onAsked = (asked: Asked): void => {
        count(asked);
        if (strikes.take(asked)) this.#takeOut(tenantId, entry, id);
      };
      const old = entry.serving;
      entry.serving = { id, digest, engine: createTenantEngine({ thread, id, digest, onAsked }) };
      if (old !== undefined) thread.drop(old.id);
      if (old !== undefined && old.digest !== digest) entry.previous = old.digest;
      // Forgotten meanwhile: nobody will ask it, and nobody would drop it.
      if (this.#entries.get(tenantId) !== entry) thread.drop(id);
      return undefined;
    } catch (thrown) {
      return { message: GatewayError.from(thrown).message, mayPass: true };
    }
  }

  #settle(tenantId: string, entry: Entry, fault: LoadFault | undefined): void {
    const { logger, metrics, member } = this.#parts;
    const isNews = entry.fault?.message !== fault?.message;
    entry.fault = fault;
    metrics.failing(this.failing().length);
    const policy = entry.serving === undefined ? 'none' : revisionOfBundle(entry.serving.digest);
    if (fault === undefined) {
      metrics.loaded('ok');
      logger.info({ tenant: tenantId, member, policy }, 'policy of a tenant in service');
      this.#save();
    } else if (isNews) {
      metrics.loaded('failed');
      const told = { tenant: tenantId, wanted: revisionOfBundle(entry.wanted), policy, error: fault.message };
      logger.error(told, 'policy of a tenant refused; what judged before goes on, or its calls are refused');
    }
  }

  /**
   * Ends the service of a policy that costs too much: what served before it takes its place, or the tenant's calls are
   * refused. It stays out until the tenant names another one, or this process starts anew.
   */
  #takeOut(tenantId: string, entry: Entry, id: string): void {
    const { serving: out, previous } = entry;
    if (out === undefined || out.id !== id) return;
    const { thread, logger, metrics, member } = this.#parts;
    entry.serving = undefined;
    entry.previous = undefined;
    entry.fault = { message: 'taken out of service: too slow', mayPass: false };
    thread.drop(out.id);
    metrics.takenOut(tenantId);
    metrics.failing(this.failing().length);
    const policy = previous === undefined ? 'none' : revisionOfBundle(previous);
    logger.error(
      { tenant: tenantId, member, out: revisionOfBundle(out.digest), policy },
      'policy of a tenant taken out of service: too many of its evaluations were slow or did not end',
    );
    if (previous !== undefined) this.#bringBack(tenantId, entry, previous);
    this.#parts.onChanged?.();
  }

  /** Calls wait for it like for a first one: between the two there is nothing that could judge them. */
  #bringBack(tenantId: string, entry: Entry, digest: string): void {
    this.#afterOthers(entry, async () => {
      if (entry.serving === undefined) await this.#place(tenantId, entry, { digest, isProven: true });
      this.#save();
    });
  }

  #forget(tenantId: string): void {
    const entry = this.#entries.get(tenantId);
    this.#entries.delete(tenantId);
    if (entry?.serving !== undefined) this.#parts.thread.drop(entry.serving.id);
    this.#parts.metrics.failing(this.failing().length);
    this.#save();
  }

  async #tryAgain(): Promise<void> {
    const waiting = [...this.#entries].filter(
      ([, { fault, loading }]) => fault?.mayPass === true && loading === undefined,
    );
    for (const [id, entry] of waiting) this.#begin(id, entry);
    await Promise.all(waiting.map(([, { loading }]) => loading));
    if (waiting.some(([, { fault }]) => fault === undefined)) this.#parts.onChanged?.();
  }

  /** One write after the other, each of what is true when it begins. */
  #save(): void {
    const write = async (): Promise<void> => {
      const entries = [...this.#entries];
      const serving = entries.flatMap(([id, entry]) =>
        entry.serving === undefined ? [] : [[id, entry.serving.digest] as const],
      );
      await this.#parts.files.keepServing(
        new Map([...this.#judgedBefore, ...serving]),
        () =>
          new Set(
            [...this.#entries.values()].flatMap(({ wanted, previous }) => [wanted, previous ?? wanted]),
          ),
      );
    };
    this.#saved = this.#saved.then(write).catch((thrown: unknown) => {
      this.#parts.logger.error(
        { error: GatewayError.from(thrown).message },
        'bundles on disk not brought up to date',
      );
    });
  }
}

/** Reads what judged before the restart; follow the first snapshot to put it to work. */
export const createTenantPolicies = async (parts: TenantPolicyParts): Promise<TenantPolicyService> =>
  new Service(parts, await parts.files.readServing());

// Watches versions that share calls, and takes one out of service that passes its owner's limits: the one writer of the
// registry that is no person. It commits as every change is committed, and judges again whenever it loses a race.

import type { VersionFigures } from '#core/call-figures.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { ok } from '#core/result.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type { AbortRecord, AbortRule } from '#core/traffic-split.ts';
import { changeTenant } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { type Breach, describeBreach, judgeFigures } from '#registry/canary/judge.ts';
import { createWindows, type VersionName, type Windows } from '#registry/canary/windows.ts';
import { serverName } from '#registry/commands/resources.ts';
import { abortTraffic } from '#registry/commands/traffic.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** Who the record of an abort names; no principal looks like this. */
const ACTOR = 'gateway';

export type CanaryWatch = {
  /** What Envoys counted since they were last heard. Never throws. */
  take(versions: readonly VersionFigures[]): void;
  /** Resolves when what was begun is done. */
  stop(): Promise<void>;
};

type Parts = {
  readonly context: ApiContext;
  readonly metrics: Metrics;
  /** A clock that never goes back, milliseconds. */
  readonly monotonicMs: () => number;
};

const ruleOf = (tenant: Tenant | undefined, { serverId, version }: VersionName): AbortRule | undefined => {
  const rule = tenant === undefined ? undefined : findServer(tenant, serverId)?.traffic?.abort;
  return rule?.version === version ? rule : undefined;
};

type Found = { readonly rule: AbortRule; readonly breach: Breach };

const findBreach = (windows: Windows, tenant: Tenant | undefined, name: VersionName): Found | undefined => {
  const rule = ruleOf(tenant, name);
  const breach = rule === undefined ? undefined : judgeFigures(rule, windows.sum(name));
  return rule === undefined || breach === undefined ? undefined : { rule, breach };
};

const recordFor = ({ rule, breach }: Found, at: string): AbortRecord => ({
  at,
  version: rule.version,
  fallback: rule.fallback,
  ...breach,
});

/**
 * Commits the abort that was found, unless the tenant has come to say otherwise meanwhile.
 * @returns whether it was this that took the version out.
 */
const abort = async ({ context }: Parts, windows: Windows, name: VersionName, found: Found) => {
  const { tenantId, serverId, version } = name;
  const at = new Date(context.nowMs()).toISOString();
  const result = await changeTenant(context, {
    tenantId,
    isUrgent: true,
    record: {
      actor: ACTOR,
      action: `abort version ${version} of ${serverName(serverId)}`,
      reason: describeBreach(found.breach, found.rule.windowSeconds),
      at,
    },
    judge: (stored) => (stored === undefined ? noSuchResource : undefined),
    command: (tenant) => {
      const still = findBreach(windows, tenant, name);
      const present = tenant as Tenant;
      if (still === undefined) return ok({ tenant: present, changes: [] });
      return abortTraffic(present, { serverId, record: recordFor(still, at) });
    },
  });
  if (!result.ok) throw new GatewayError('internal', `abort refused: ${result.error.detail}`);
  return result.value.stored !== result.value.before;
};

/** Judges each version of a report, one after the other; what fails is tried again with the next report. */
const createJudge = (parts: Parts, windows: Windows) => {
  const { context, metrics } = parts;
  const { logger } = context;
  const aborts = metrics.counter('canary_aborts_total', 'Versions taken out of service by their limits.', [
    'tenant',
    'signal',
  ]);
  const judgeOne = async (seen: VersionFigures, tenant: Tenant | undefined): Promise<void> => {
    const rule = ruleOf(tenant, seen);
    if (rule === undefined) {
      windows.forget(seen);
      return;
    }
    windows.add(seen, rule);
    const found = findBreach(windows, tenant, seen);
    if (found === undefined || !(await abort(parts, windows, seen, found))) return;
    windows.forget(seen);
    const { tenantId, serverId, version } = seen;
    aborts.inc({ tenant: tenantId, signal: found.breach.signal });
    logger.warn(
      { tenant: tenantId, server: serverId, version, fallback: rule.fallback, ...found.breach },
      'version taken out of service',
    );
  };
  return async (versions: readonly VersionFigures[]): Promise<void> => {
    for (const [tenantId, seen] of Map.groupBy(versions, (one) => one.tenantId)) {
      const stored = await context.store.findTenant(tenantId);
      for (const one of seen) await judgeOne(one, stored?.tenant);
    }
  };
};

/** Starts watching. Reports are judged in the order they come in. */
export const createCanaryWatch = (parts: Parts): CanaryWatch => {
  const judge = createJudge(parts, createWindows(parts.monotonicMs));
  let last: Promise<void> = Promise.resolve();
  const judgeSafely = async (versions: readonly VersionFigures[]): Promise<void> => {
    try {
      await judge(versions);
    } catch (thrown) {
      const error = GatewayError.from(thrown).message;
      parts.context.logger.error({ error }, 'figures of versions not judged');
    }
  };
  return {
    take: (versions) => {
      last = last.then(() => judgeSafely(versions));
    },
    stop: () => last,
  };
};

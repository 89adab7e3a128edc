// Shared state as a deployment asks for it: one backend, or memory, which is this process's own. Two at once would be two
// truths, so they are a fault of the configuration.

import { err, ok, type Result } from '#core/result.ts';
import type { Environment, Variable } from '#runtime/config.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { REDIS_VARIABLES, type RedisConfiguration } from '#runtime/redis/redis-configuration.ts';
import { createSharedStateMetrics, guardSharedState } from '#runtime/shared-state/guarded.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { openSqlState, readSqlStateConfiguration } from '#runtime/shared-state/open-sql.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

const KINDS = ['memory', 'redis', 'sql', 'cosmos'] as const;

type SharedStateKind = (typeof KINDS)[number];

const DEFAULT = 'default';

const parseKind = (word: string, environment: Environment): Result<SharedStateKind, string> => {
  const hasRedis = (environment['REDIS_URL'] ?? '') !== '';
  if (word === DEFAULT) return ok(hasRedis ? 'redis' : 'memory');
  const kind = KINDS.find((one) => one === word);
  if (kind === undefined) return err(`expected one of ${KINDS.join(', ')}`);
  if (kind === 'redis') return hasRedis ? ok(kind) : err('redis needs REDIS_URL');
  return hasRedis ? err(`${kind} and REDIS_URL are two backends: unset one of them`) : ok(kind);
};

/** For the shape of a service's configuration. */
export const SHARED_STATE_VARIABLES = {
  ...REDIS_VARIABLES,
  /** `redis` as soon as there is a REDIS_URL. */
  sharedState: { name: 'SHARED_STATE', fallback: DEFAULT, parse: parseKind } as Variable<SharedStateKind>,
};

type SharedStateConfiguration = RedisConfiguration & { readonly sharedState: SharedStateKind };

export type OpenedState = {
  readonly state: SharedState;
  readonly kind: SharedStateKind;
  /** Whether other processes meet there. */
  readonly isShared: boolean;
  /** For `/readyz` and the line of the start. */
  facts(): { readonly sharedState: SharedStateKind; readonly sharedStateUp: boolean };
};

type OpenParts = {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds of a clock that is never set back. */
  readonly nowMs: () => number;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
};

/** Nobody pays for the driver of a backend that is not used. */
const openBackend = async (
  configuration: SharedStateConfiguration,
  { logger, random }: OpenParts,
): Promise<SharedState> => {
  const { redis, sharedState } = configuration;
  if (sharedState === 'cosmos') {
    const cosmos = await import('#runtime/shared-state/open-cosmos.ts');
    return cosmos.openCosmosState(cosmos.readCosmosStateConfiguration(), logger);
  }
  if (redis === undefined) return openSqlState(readSqlStateConfiguration(), logger);
  const { openRedisState } = await import('#runtime/shared-state/redis.ts');
  return openRedisState({ ...configuration, redis }, { logger, random });
};

/** @throws GatewayError if the backend cannot be used at all; one that is away for now is no reason. */
export const openSharedState = async (
  configuration: SharedStateConfiguration,
  parts: OpenParts,
): Promise<OpenedState> => {
  const { sharedState: kind } = configuration;
  const metrics = createSharedStateMetrics(parts.metrics);
  const backend =
    kind === 'memory' ? createMemoryState(parts.nowMs) : await openBackend(configuration, parts);
  const { nowMs, random } = parts;
  const state = guardSharedState(backend, { backend: kind, metrics, nowMs, random });
  return {
    state,
    kind,
    isShared: kind !== 'memory',
    facts: () => ({ sharedState: kind, sharedStateUp: state.isUp() }),
  };
};

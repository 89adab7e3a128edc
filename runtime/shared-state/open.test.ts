// Which backend a deployment gets. The backends themselves are in test/integration.

import { describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import { readConfig } from '#runtime/config.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { openSharedState, SHARED_STATE_VARIABLES } from '#runtime/shared-state/open.ts';

const read = (environment: Record<string, string>) => readConfig(SHARED_STATE_VARIABLES, environment);

describe('SHARED_STATE', () => {
  it.each([
    [{}, 'memory'],
    [{ REDIS_URL: 'redis://cache' }, 'redis'],
    [{ REDIS_URL: 'redis://cache', SHARED_STATE: 'redis' }, 'redis'],
    [{ SHARED_STATE: 'memory' }, 'memory'],
    [{ SHARED_STATE: 'sql' }, 'sql'],
    [{ SHARED_STATE: 'cosmos' }, 'cosmos'],
  ])('of %j is %s', (environment, kind) => {
    expect(read(environment as Record<string, string>).sharedState).toBe(kind);
  });

  it.each([
    [{ REDIS_URL: 'redis://cache', SHARED_STATE: 'sql' }, 'SHARED_STATE: sql and REDIS_URL are two backends'],
    [{ REDIS_URL: 'redis://cache', SHARED_STATE: 'memory' }, 'SHARED_STATE: memory and REDIS_URL are two'],
    [{ SHARED_STATE: 'redis' }, 'SHARED_STATE: redis needs REDIS_URL'],
    [{ SHARED_STATE: 'etcd' }, 'SHARED_STATE: expected one of memory, redis, sql, cosmos'],
  ])('of %j is refused', (environment, fault) => {
    expect(() => read(environment as Record<string, string>)).toThrow(fault);
  });
});

describe('openSharedState()', () => {
  it('opens memory where nothing else is asked for, and says that it is nobody else’s', async () => {
    const opened = await openSharedState(read({}), {
      logger: createLogger('test', 'info', { write: () => undefined }),
      metrics: createMetrics('test'),
      nowMs: () => 0,
      random: () => 0,
    });
    expect([opened.isShared, opened.facts()]).toEqual([
      false,
      { sharedState: 'memory', sharedStateUp: true },
    ]);
    expect(await opened.state.claim('a', { holder: 'us', lifetimeMs: 1_000 })).toEqual(ok(true));
    await opened.state.stop();
  });
});

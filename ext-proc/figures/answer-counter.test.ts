import { describe, expect, it } from 'vitest';
import { NO_FIGURES } from '#core/call-figures.ts';
import type { McpServer } from '#core/server.ts';
import type { AbortSignalName } from '#core/traffic-split.ts';
import { createAnswerCounter } from '#ext-proc/figures/answer-counter.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const NAME = { tenantId: 'acme', serverId: 'tracker', version: '1.0.0' };

const watched = (version: string, signal: AbortSignalName = 'invalid-answers') => {
  const tenant = sampleTenant('acme');
  const traffic: McpServer['traffic'] = {
    weights: [{ version, weight: 1 }],
    tools: [],
    testers: [],
    steps: [],
    withdrawn: [],
    abort: {
      version,
      fallback: '0.9.0',
      windowSeconds: 60,
      minimumCalls: 1,
      limits: [{ signal, maximum: 0.1 }],
    },
  };
  const servers = tenant.servers.map((server) => ({ ...server, traffic }));
  return { sequence: 1, tenants: [{ ...tenant, servers }] };
};

describe('createAnswerCounter()', () => {
  it('should count by version, and tell each answer once', () => {
    const counter = createAnswerCounter(() => watched('1.0.0'));
    for (const isValid of [true, false, true]) counter.judged(NAME, isValid);
    expect(counter.take()).toEqual([
      { ...NAME, figures: { ...NO_FIGURES, answers: { judged: 3, invalid: 1 } } },
    ]);
    expect(counter.take()).toEqual([]);
  });

  it('should count nothing of what nobody watches', () => {
    for (const snapshot of [watched('2.0.0'), watched('1.0.0', 'error-rate'), { sequence: 1, tenants: [] }]) {
      const counter = createAnswerCounter(() => snapshot);
      counter.judged(NAME, false);
      expect(counter.take()).toEqual([]);
    }
  });
});

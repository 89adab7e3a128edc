// Unit tests of readiness.ts and status-reporter.ts: what operators and the registry are told.

import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ConsumerStatus, EnvoyNodeStatus } from '#core/feed-message.ts';
import { describeReadiness, isCurrent } from '#xds-server/readiness.ts';
import { createStatusReporter } from '#xds-server/status-reporter.ts';

const publisher = (sequence: number) => ({
  update: () => undefined,
  refresh: () => undefined,
  publishedSequence: () => sequence,
  faults: () => [{ tenantId: 'acme', message: 'internal' }],
});
const node: EnvoyNodeStatus = {
  nodeId: 'edge-1',
  acknowledgedSequence: 4,
  rejected: [{ typeUrl: 't', resource: 'tenant/acme', tenantId: 'acme', message: 'x' }],
};

describe('isCurrent()', () => {
  it('is what the registry has said itself, for as long as it would say more', () => {
    expect(isCurrent({ source: 'feed', connected: true })).toBe(true);
    expect(isCurrent({ source: 'feed', connected: false })).toBe(false);
    expect(isCurrent({ source: 'disk', connected: true })).toBe(false);
  });
});

describe('describeReadiness()', () => {
  it('is ready with a copy from disk, and says that it is one and how old', () => {
    const feed = { source: 'disk', connected: false, freshAtMs: 1_000 };
    expect(describeReadiness({ feed, publisher: publisher(5), nodes: [node], nowMs: 61_000 })).toEqual({
      ready: true,
      facts: {
        sequence: 5,
        source: 'disk',
        registryConnected: false,
        snapshotAgeSeconds: 60,
        envoys: [{ nodeId: 'edge-1', acknowledgedSequence: 4, rejected: 1 }],
        untranslatedTenants: ['acme'],
      },
    });
  });

  it('is not ready while there is nothing to tell', () => {
    const feed = { source: 'none', connected: true, freshAtMs: 0 };
    const { ready, facts } = describeReadiness({ feed, publisher: publisher(-1), nodes: [], nowMs: 1 });
    expect([ready, facts['snapshotAgeSeconds']]).toEqual([false, null]);
  });
});

describe('a status reporter', () => {
  it('reports what changed, not for every change, and what was so before it could', async () => {
    const reports: ConsumerStatus[] = [];
    let nodes: EnvoyNodeStatus[] = [];
    let untranslated: string[] = [];
    const reporter = createStatusReporter({
      publishedSequence: () => 4,
      nodes: () => nodes,
      gone: () => [],
      untranslated: () => untranslated,
    });
    reporter.changed();
    await turn();
    expect(reports).toEqual([]);
    reporter.start((status) => reports.push(status));
    await expect.poll(() => reports.length).toBe(1);
    for (let sequence = 1; sequence <= 200; sequence += 1) {
      nodes = [{ ...node, acknowledgedSequence: sequence }];
      reporter.changed();
      await turn();
    }
    nodes = [node];
    reporter.changed();
    await expect.poll(() => reports.at(-1)).toEqual({ sequence: 4, nodes: [node] });
    expect(reports.length).toBeLessThan(100);
    reports.splice(1, reports.length - 2);
    reporter.changed();
    untranslated = ['acme'];
    reporter.changed();
    await expect.poll(() => reports.length).toBe(3);
    expect(reports).toEqual([
      { sequence: 4, nodes: [], paces: [] },
      { sequence: 4, nodes: [node] },
      { sequence: 4, nodes: [node], untranslated: ['acme'] },
    ]);
    const pace = { tenantId: 'acme', serverId: 'files', version: '1', pace: { timeoutMs: 900 } };
    reporter.paces([pace]);
    await expect.poll(() => reports.length).toBe(4);
    untranslated = [];
    reporter.changed();
    await expect.poll(() => reports.length).toBe(5);
    expect(reports.slice(3)).toEqual([
      { sequence: 4, nodes: [node], untranslated: ['acme'], paces: [pace] },
      { sequence: 4, nodes: [node] },
    ]);
  });
});

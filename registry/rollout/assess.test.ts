// Unit tests of assess.ts: who counts, and what the whole is then called.

import { describe, expect, it } from 'vitest';
import type { EnvoyNodeStatus } from '#core/feed-message.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { assessRollout, envoysLack } from '#registry/rollout/assess.ts';

const NOW_MS = Date.parse('2026-01-01T12:00:00Z');
const PLACE = { sequence: 20, previous: 10 };

const entry = (
  consumer: string,
  sequence: number | null,
  changes: Partial<ConsumerEntry> = {},
): ConsumerEntry => ({
  consumer,
  connected: true,
  since: '2026-01-01T11:00:00Z',
  sentSequence: 20,
  status: sequence === null ? null : { sequence },
  reportedAt: null,
  ...changes,
});

const node = (acknowledgedSequence: number, rejected: EnvoyNodeStatus['rejected'] = []): EnvoyNodeStatus => ({
  nodeId: 'edge-1',
  acknowledgedSequence,
  rejected,
});

const xds = (sequence: number, ...nodes: readonly EnvoyNodeStatus[]): ConsumerEntry =>
  entry('xds-server', null, { status: { sequence, nodes } });

const refusal = (tenantId: string | undefined, arrived: { after?: number; upTo: number }) => ({
  typeUrl: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  resource: `tenant/${tenantId ?? ''}`,
  message: 'refused',
  arrived,
  ...(tenantId === undefined ? {} : { tenantId }),
});

const assess = (...entries: readonly ConsumerEntry[]) =>
  assessRollout(entries, { tenantId: 'acme', place: PLACE, nowMs: NOW_MS });

describe('assessRollout()', () => {
  it('is applied once every consumer and every Envoy has it, or a later one', () => {
    expect(assess(entry('ext-authz', 20), xds(25, node(20), node(25))).state).toBe('applied');
  });

  it.each([
    ['a consumer is behind', [entry('ext-authz', 19), xds(20, node(20))]],
    ['a consumer has never reported', [entry('ext-authz', null), xds(20, node(20))]],
    ['xds-server is behind its Envoys', [xds(19, node(20))]],
    ['one Envoy of two is behind', [xds(20, node(20), node(10))]],
    [
      'xds-server cannot translate the tenant',
      [entry('xds-server', null, { status: { sequence: 20, nodes: [node(20)], untranslated: ['acme'] } })],
    ],
    ['there is no Envoy', [entry('ext-authz', 20), xds(20)]],
    ['nobody is there', []],
  ])('is pending while %s', (_title, entries) => {
    expect(assess(...entries).state).toBe('pending');
  });

  it('counts every xds-server: one that lags holds it up, one without Envoys that has it does not', () => {
    const second = (sequence: number) => entry('xds-server/two', null, { status: { sequence, nodes: [] } });
    expect(assess(xds(20, node(20)), second(20)).state).toBe('applied');
    expect(assess(xds(20, node(20)), second(19)).state).toBe('pending');
  });

  it('is applied though another tenant cannot be translated', () => {
    const status = { sequence: 20, nodes: [node(20)], untranslated: ['beta'] };
    expect(assess(entry('xds-server', null, { status })).state).toBe('applied');
  });

  it('waits for one that went a moment ago, and for nobody who has been gone for long', () => {
    const gone = (since: string) => entry('ext-proc', 10, { connected: false, since });
    const served = xds(20, node(20));
    expect(assess(gone('2026-01-01T11:59:50Z'), served).state).toBe('pending');
    const after = assess(gone('2026-01-01T11:59:00Z'), served);
    expect(after.state).toBe('applied');
    expect(after.consumers[0]).toMatchObject({ consumer: 'ext-proc', connected: false, state: 'absent' });
  });

  it('is rejected if an Envoy refuses what it brought, though others took it', () => {
    const { state, consumers } = assess(
      xds(20, node(20), node(20, [refusal('acme', { after: 10, upTo: 20 })])),
    );
    expect(state).toBe('rejected');
    expect(consumers[0]?.nodes.map((each) => each.state)).toEqual(['applied', 'rejected']);
  });

  it('is not rejected for what another revision brought, and names it', () => {
    const { state, consumers } = assess(xds(20, node(20, [refusal('acme', { after: 5, upTo: 10 })])));
    expect(state).toBe('applied');
    expect(consumers[0]?.nodes[0]?.rejected).toMatchObject([{ broughtBy: 'another-revision' }]);
  });

  it('never shows what was refused of another tenant or of none', () => {
    const theirs = [refusal('beta', { after: 10, upTo: 20 }), refusal(undefined, { after: 10, upTo: 20 })];
    const answer = assess(xds(20, node(20, theirs)));
    expect(answer.state).toBe('applied');
    expect(JSON.stringify(answer)).not.toContain('beta');
    expect(answer.consumers[0]?.nodes[0]?.rejected).toEqual([]);
  });
});

describe('envoysLack()', () => {
  it.each([
    ['one Envoy of two is behind', true, [xds(20, node(20), node(10))]],
    ['all have it, and ext-authz is behind', false, [entry('ext-authz', 19), xds(20, node(20))]],
    ['an Envoy refuses it', false, [xds(20, node(10, [refusal('acme', { after: 10, upTo: 20 })]))]],
    ['its xds-server is away', false, [{ ...xds(19, node(10)), connected: false }]],
    ['there is none', false, [xds(19)]],
  ])('%s: %s', (_title, lacks, entries) => {
    expect(envoysLack(assess(...entries))).toBe(lacks);
  });
});

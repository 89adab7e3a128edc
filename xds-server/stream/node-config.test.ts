// Unit tests of node-config.ts: how a resource compares, and what a page holds.

import { describe, expect, it } from 'vitest';
import { TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { ClientStatus, ResourceStatus } from '#xds-server/stream/client-status.ts';
import { nodeConfig } from '#xds-server/stream/node-config.ts';

const resource = (name: string, changes: Partial<ResourceStatus> = {}): ResourceStatus => ({
  kind: 'cluster',
  typeUrl: TYPE_URLS.cluster,
  name,
  wantedVersion: '2',
  held: { version: '2', by: 'acknowledged' },
  configStatus: 'SYNCED',
  clientStatus: 'ACKED',
  ...changes,
});

const BEHIND = { held: { version: '1', by: 'acknowledged' }, configStatus: 'STALE' } as const;
const REFUSED = {
  held: { version: '1', by: 'acknowledged' },
  configStatus: 'ERROR',
  clientStatus: 'NACKED',
  error: { version: '2', message: 'no', tenantId: 'acme' },
} as const;

const client = (...resources: readonly ResourceStatus[]): ClientStatus => ({
  protocol: 'delta',
  wantedSequence: 7,
  acknowledgedSequence: 6,
  resources,
});

const QUESTION = { nodeId: 'edge-1', limit: 100 };

const ask = (of: ClientStatus | undefined, changes: object = {}) => {
  const answer = nodeConfig(of === undefined ? [] : [of], { ...QUESTION, ...changes });
  if (answer.kind === 'absent') throw new Error('absent');
  return answer;
};

describe('nodeConfig()', () => {
  it('compares each resource, and counts by kind', () => {
    const answer = ask(client(resource('a'), resource('b', BEHIND), resource('c', REFUSED)));
    expect(answer).toEqual({
      kind: 'config',
      sequence: 7,
      acknowledgedSequence: 6,
      types: [
        { kind: 'cluster', typeUrl: TYPE_URLS.cluster, inSync: 1, pending: 1, rejected: 1, unknown: 0 },
      ],
      resources: [
        {
          kind: 'cluster',
          name: 'a',
          state: 'in_sync',
          wanted: { version: '2' },
          held: { version: '2', by: 'acknowledged' },
        },
        {
          kind: 'cluster',
          name: 'b',
          state: 'pending',
          wanted: { version: '2' },
          held: { version: '1', by: 'acknowledged' },
        },
        {
          kind: 'cluster',
          name: 'c',
          state: 'rejected',
          wanted: { version: '2' },
          held: { version: '1', by: 'acknowledged' },
          message: 'no',
          tenant: 'acme',
        },
      ],
    });
  });

  it('knows nothing of what it holds while there is nothing to tell it', () => {
    const claimed = { version: '1', by: 'claimed' } as const;
    const { wantedVersion: _none, ...unwanted } = resource('a', { held: claimed, configStatus: 'NOT_SENT' });
    const answer = ask({ ...client(unwanted), wantedSequence: -1 });
    expect(answer.resources).toEqual([{ kind: 'cluster', name: 'a', state: 'unknown', held: claimed }]);
  });

  it('goes on where the last page ended, and counts all of it all the same', () => {
    const of = client(resource('a'), resource('b'), resource('c'));
    const first = ask(of, { limit: 2 });
    expect(first).toMatchObject({ resources: [{ name: 'a' }, { name: 'b' }], next: 'cluster/b' });
    const second = ask(of, { limit: 2, after: first.next });
    expect(second).toMatchObject({ resources: [{ name: 'c' }], types: [{ inSync: 3 }] });
    expect(second).not.toHaveProperty('next');
  });

  it.each([
    [{ state: 'rejected' }, ['c']],
    [{ kind: 'route' }, []],
    [{ kind: 'cluster', state: 'in_sync' }, ['a']],
  ])('is narrowed by %j', (changes, names) => {
    const of = client(resource('a'), resource('b', BEHIND), resource('c', REFUSED));
    expect(ask(of, changes).resources.map(({ name }) => name)).toEqual(names);
  });

  it('is of the latest connection of the node, and of none without one', () => {
    expect(nodeConfig([client(resource('old')), client(resource('new'))], QUESTION)).toMatchObject({
      resources: [{ name: 'new' }],
    });
    expect(nodeConfig([], QUESTION)).toEqual({ kind: 'absent' });
  });
});

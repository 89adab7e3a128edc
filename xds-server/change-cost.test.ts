// What one change makes xds-server pack and send, counted: among a thousand servers in fifty tenants it is the same as
// among twenty in one.

import { describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { ModelEnvoy } from '#test/support/xds-model-envoy.ts';
import { SETTINGS, snapshotOf } from '#test/support/xds-world.ts';
import { RESOURCE_KINDS } from '#xds-server/resource-kind.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import type { Resource, ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import {
  type Conversation,
  hear,
  openConversation,
  proceed,
  retarget,
  type Told,
} from '#xds-server/stream/conversation.ts';

const ADDRESSES = ['192.0.2.1'];
const FACTS = { addressesOf: () => ADDRESSES };

const tenants = (count: number): readonly Tenant[] =>
  Array.from({ length: count }, (_, index) =>
    largeTenant(`tenant-${String(index).padStart(2, '0')}`, { servers: 20, tools: 1 }),
  );

/** A new version of one server of the first tenant. */
const changed = ([first, ...others]: readonly Tenant[]): readonly Tenant[] => {
  const [server, ...rest] = first?.servers ?? [];
  const [version] = server?.versions ?? [];
  if (first === undefined || server === undefined || version === undefined) throw new Error('there is one');
  const versions = [version, { ...version, version: '2.0.0' }];
  return [{ ...first, servers: [{ ...server, versions }, ...rest] }, ...others];
};

/** Aims one Envoy at a world until neither side has anything to say. */
const settle = (conversation: Conversation, envoy: ModelEnvoy, target: ResourceSnapshot) => {
  const told: Told[] = [];
  let current = retarget(conversation, target);
  for (const queue = conversation.target === undefined ? envoy.connect() : []; ; ) {
    const next = queue.shift();
    if (next !== undefined) current = hear(current, next);
    const step = proceed(current);
    current = step.conversation;
    told.push(...step.told);
    queue.push(...step.told.flatMap((each) => envoy.hear(each)));
    if (next === undefined && step.told.length === 0 && queue.length === 0) return { current, told };
  }
};

const bytesOf = (resources: readonly Resource[]): number =>
  resources.reduce((sum, { any }) => sum + any.value.length, 0);

const costOf = (count: number) => {
  const build = createSnapshotBuilder(SETTINGS);
  const world = tenants(count);
  const before = build(snapshotOf(1, ...world), FACTS).snapshot;
  const envoy = new ModelEnvoy();
  const { current } = settle(openConversation('delta'), envoy, before);
  const after = build(snapshotOf(2, ...changed(world)), FACTS).snapshot;
  const known = new Set(RESOURCE_KINDS.flatMap((kind) => [...before.kinds[kind].values()]));
  const packed = RESOURCE_KINDS.flatMap((kind) =>
    [...after.kinds[kind].values()].filter((resource) => !known.has(resource)),
  );
  const { told } = settle(current, envoy, after);
  expect(envoy.complaints).toEqual([]);
  return {
    packed: packed.map(({ name }) => name),
    told: told.map(({ kind, resources, removed }) => ({
      kind,
      names: resources.map(({ name }) => name),
      bytes: bytesOf(resources),
      removed,
    })),
  };
};

describe('one change', () => {
  it('packs and sends as much among a thousand servers as among twenty: one cluster, its endpoints, one tenant’s routes', () => {
    const [small, large] = [costOf(1), costOf(50)];
    expect(large).toEqual(small);
    const cluster = 'mcp.tenant-00.server-0000.2.0.0';
    expect(small.packed).toEqual([cluster, cluster, 'tenant/tenant-00']);
    expect(small.told.map(({ kind, names }) => [kind, names])).toEqual([
      ['cluster', [cluster]],
      ['endpoint', [cluster]],
      ['route', ['tenant/tenant-00']],
    ]);
  }, 60_000);
});

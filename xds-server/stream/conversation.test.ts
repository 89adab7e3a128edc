// Unit tests of conversation.ts, mostly by property: whatever the registry does and whatever Envoy refuses, Envoy ends
// up with what it should have, and never sees a route before the cluster it leads to.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelEnvoy, modelResource, modelSnapshot } from '#test/support/xds-model-envoy.ts';
import { RESOURCE_KINDS } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import {
  type Conversation,
  type Heard,
  hear,
  loseHope,
  openConversation,
  type Protocol,
  proceed,
  retarget,
  type Told,
} from '#xds-server/stream/conversation.ts';

/** A tenant of the model: a version of its clusters, and which of them there are. */
type ModelTenant = { readonly version: number; readonly clusters: readonly string[] };
type World = Readonly<Record<string, ModelTenant>>;

const snapshotOf = (sequence: number, world: World): ResourceSnapshot => {
  const clusters = Object.entries(world).flatMap(([tenantId, { version, clusters: names }]) =>
    names.map((name) => ({ tenantId, name: `${tenantId}/${name}`, version: String(version) })),
  );
  return modelSnapshot(sequence, {
    cluster: clusters.map(({ tenantId, name, version }) =>
      modelResource(name, version, { tenantId, needs: name }),
    ),
    endpoint: clusters.map(({ tenantId, name }) => modelResource(name, 'e', { tenantId })),
    listener: [modelResource('gateway', 'l')],
    scope: Object.keys(world).map((tenantId) => modelResource(tenantId, 's', { tenantId, needs: tenantId })),
    route: Object.entries(world).map(([tenantId, { version, clusters: names }]) => {
      const needs = names.map((name) => `${tenantId}/${name}`).join(' ');
      return modelResource(tenantId, `${version} ${needs}`, { tenantId, needs });
    }),
  });
};

/** Runs both sides until neither has anything to say. */
class Dialogue {
  conversation: Conversation;
  readonly envoy: ModelEnvoy;
  readonly told: Told[] = [];

  constructor(protocol: Protocol, envoy: ModelEnvoy) {
    this.conversation = openConversation(protocol);
    this.envoy = envoy;
    this.hearAll(envoy.connect());
  }

  hearAll(heard: readonly Heard[]): void {
    const queue = [...heard];
    for (let turns = 0; turns < 1_000; turns += 1) {
      const next = queue.shift();
      if (next !== undefined) this.conversation = hear(this.conversation, next);
      const step = proceed(this.conversation);
      this.conversation = step.conversation;
      this.told.push(...step.told);
      for (const told of step.told) queue.push(...this.envoy.hear(told));
      if (next === undefined && step.told.length === 0 && queue.length === 0) return;
    }
    throw new Error('the dialogue does not end');
  }

  aim(snapshot: ResourceSnapshot): void {
    this.conversation = retarget(this.conversation, snapshot);
    this.hearAll([]);
  }
}

const versionsOf = (envoy: ModelEnvoy) =>
  Object.fromEntries(
    RESOURCE_KINDS.map((kind) => [
      kind,
      Object.fromEntries([...envoy.has[kind]].map(([name, { version }]) => [name, version]).sort()),
    ]),
  );

const targetVersions = (snapshot: ResourceSnapshot) =>
  Object.fromEntries(
    RESOURCE_KINDS.map((kind) => [
      kind,
      Object.fromEntries([...snapshot.kinds[kind]].map(([name, { version }]) => [name, version]).sort()),
    ]),
  );

const tenant = fc.record({
  version: fc.integer({ min: 1, max: 3 }),
  clusters: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
});
const world = fc.dictionary(fc.constantFrom('a', 'b', 'c'), tenant);
const worlds = fc.array(world, { minLength: 1, maxLength: 6 });
const protocol = fc.constantFrom<Protocol>('delta', 'sotw');

describe('a conversation', () => {
  it('brings Envoy to the last of any series of worlds, and never breaks before it makes', () => {
    fc.assert(
      fc.property(protocol, worlds, (kind, series) => {
        const dialogue = new Dialogue(kind, new ModelEnvoy(() => false, kind));
        series.forEach((each, index) => {
          dialogue.aim(snapshotOf(index, each));
        });
        const last = snapshotOf(series.length - 1, series.at(-1) ?? {});
        expect(versionsOf(dialogue.envoy)).toEqual(targetVersions(last));
        expect(dialogue.envoy.complaints).toEqual([]);
        expect(dialogue.conversation.settledSequence).toBe(series.length - 1);
      }),
    );
  });

  it('skips worlds that pass while Envoy is busy', () => {
    fc.assert(
      fc.property(protocol, worlds, (kind, series) => {
        const dialogue = new Dialogue(kind, new ModelEnvoy(() => false, kind));
        series.forEach((each, index) => {
          dialogue.conversation = retarget(dialogue.conversation, snapshotOf(index, each));
          const { conversation, told } = proceed(dialogue.conversation);
          dialogue.conversation = conversation;
          dialogue.hearAll(told.slice(0, 1).flatMap((response) => dialogue.envoy.hear(response)));
          for (const late of told.slice(1)) dialogue.hearAll(dialogue.envoy.hear(late));
        });
        expect(versionsOf(dialogue.envoy)).toEqual(
          targetVersions(snapshotOf(series.length - 1, series.at(-1) ?? {})),
        );
        expect(dialogue.envoy.complaints).toEqual([]);
      }),
    );
  });

  it('sends an Envoy that comes back only what it has not got', () => {
    fc.assert(
      fc.property(world, world, (before, after) => {
        const envoy = new ModelEnvoy();
        new Dialogue('delta', envoy).aim(snapshotOf(1, before));
        const again = new Dialogue('delta', envoy);
        again.aim(snapshotOf(1, before));
        expect(again.told.flatMap(({ resources, removed }) => [...resources, ...removed])).toEqual([]);
        again.aim(snapshotOf(2, after));
        expect(versionsOf(envoy)).toEqual(targetVersions(snapshotOf(2, after)));
      }),
    );
  });

  it('lets a tenant whose routes or clusters are refused harm nobody else, and asks only once', () => {
    const sickKinds = fc.constantFrom<'cluster' | 'route'>('cluster', 'route');
    fc.assert(
      fc.property(protocol, sickKinds, world, world, (kind, sick, before, after) => {
        // Versions of clusters are numbers, those of routes a number and what they lead to.
        const sickVersion = sick === 'cluster' ? '9' : '9 a/x';
        const envoy = new ModelEnvoy(({ version }) => version === sickVersion, kind);
        const dialogue = new Dialogue(kind, envoy);
        dialogue.aim(snapshotOf(1, { ...before, a: { version: 1, clusters: ['x'] } }));
        const good = versionsOf(envoy);
        const target = snapshotOf(2, { ...after, a: { version: 9, clusters: ['x'] } });
        dialogue.aim(target);
        const wanted = targetVersions(target);
        const refused = sick === 'cluster' ? 'a/x' : 'a';
        const kept = { ...wanted[sick], [refused]: good[sick]?.[refused] };
        expect(versionsOf(envoy)).toEqual({ ...wanted, [sick]: kept });
        expect(dialogue.conversation.settledSequence).toBe(2);
        const tries = dialogue.told.length;
        dialogue.aim({ ...target, sequence: 3 });
        expect(dialogue.told.length).toBe(tries);
      }),
    );
  });

  it('says nothing before there is a snapshot', () => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    expect(dialogue.told).toEqual([]);
  });

  it('answers a wildcard even where there is nothing, because Envoy waits for it', () => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    dialogue.aim(modelSnapshot(1, {}));
    expect(dialogue.told.map(({ kind }) => kind)).toEqual(['cluster', 'listener', 'scope']);
  });

  it('sends the endpoints of a changed cluster again, although they are the same', () => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    dialogue.aim(snapshotOf(1, { a: { version: 1, clusters: ['x', 'y'] } }));
    const before = dialogue.told.length;
    dialogue.aim(snapshotOf(2, { a: { version: 2, clusters: ['x', 'y'] } }));
    const told = dialogue.told.slice(before).filter(({ kind }) => kind === 'endpoint');
    expect(told.flatMap(({ resources }) => resources.map(({ name }) => name))).toEqual(['a/x', 'a/y']);
  });

  it('holds routes back until Envoy has answered for the clusters, however long that takes', () => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    dialogue.aim(snapshotOf(1, { a: { version: 1, clusters: ['x'] } }));
    dialogue.conversation = retarget(
      dialogue.conversation,
      snapshotOf(2, { a: { version: 2, clusters: ['x'] } }),
    );
    const first = proceed(dialogue.conversation);
    expect(first.told.map(({ kind }) => kind)).toEqual(['cluster', 'endpoint']);
    const [clusters, endpoints] = first.told;
    const ask = { subscribe: [], unsubscribe: [], held: {} };
    const afterEndpoints = hear(first.conversation, {
      kind: 'endpoint',
      nonce: endpoints?.nonce ?? '',
      ask,
    });
    expect(proceed(afterEndpoints).told).toEqual([]);
    const afterClusters = hear(afterEndpoints, { kind: 'cluster', nonce: clusters?.nonce ?? '', ask });
    expect(proceed(afterClusters).told.map(({ kind }) => kind)).toEqual(['route']);
  });

  it('tells the secrets of a changed cluster while Envoy has yet to answer for it, and says at once what is not there', () => {
    const nothing = { subscribe: [], unsubscribe: [], held: {} };
    const cluster = [modelResource('a/x', '1', { tenantId: 'a' })];
    let conversation = retarget(
      openConversation('delta'),
      modelSnapshot(1, { cluster, secret: [modelResource('a/key', '1', { tenantId: 'a' })] }),
    );
    const hears = (kind: 'cluster' | 'secret', names: readonly string[]) => {
      conversation = hear(conversation, { kind, nonce: '', ask: { ...nothing, subscribe: names } });
      const step = proceed(conversation);
      conversation = step.conversation;
      return step.told.map(({ resources, removed }) => [resources.map(({ name }) => name), removed]);
    };
    expect(hears('cluster', ['*'])).toEqual([[['a/x'], []]]);
    expect(hears('secret', ['a/key', 'a/absent'])).toEqual([
      [['a/key'], []],
      [[], ['a/absent']],
    ]);
  });

  it('waits for what Envoy has yet to ask for: endpoints of new clusters, routes of new scopes', () => {
    const nothing = { subscribe: [], unsubscribe: [], held: {} };
    const everything = { ...nothing, subscribe: ['*'] };
    let conversation = openConversation('delta');
    for (const kind of ['cluster', 'listener', 'scope'] as const)
      conversation = hear(conversation, { kind, nonce: '', ask: everything });
    conversation = retarget(conversation, snapshotOf(1, { a: { version: 1, clusters: ['x'] } }));
    const answerAll = (): string[] => {
      const step = proceed(conversation);
      conversation = step.conversation;
      for (const { kind, nonce } of step.told)
        conversation = hear(conversation, { kind, nonce, ask: nothing });
      return step.told.map(({ kind }) => kind);
    };
    const asks = (kind: 'endpoint' | 'route', name: string): void => {
      conversation = hear(conversation, { kind, nonce: '', ask: { ...nothing, subscribe: [name] } });
    };
    expect([answerAll(), answerAll()]).toEqual([['cluster'], []]);
    asks('endpoint', 'a/x');
    expect([answerAll(), answerAll(), answerAll()]).toEqual([['endpoint'], ['listener'], ['scope']]);
    expect(answerAll()).toEqual([]);
    expect(conversation.settledSequence).toBe(-1);
    asks('route', 'a');
    expect([answerAll(), answerAll()]).toEqual([['route'], []]);
    expect(conversation.settledSequence).toBe(1);
  });

  it('does not take addresses from an Envoy that has some while none are known here', () => {
    const cluster = [modelResource('a/x', '1', { tenantId: 'a', needs: 'a/x' })];
    const known = modelSnapshot(1, { cluster, endpoint: [modelResource('a/x', 'real')] });
    const unknown = modelSnapshot(1, {
      cluster,
      endpoint: [modelResource('a/x', 'none', { isPlaceholder: true })],
    });
    const envoy = new ModelEnvoy();
    new Dialogue('delta', envoy).aim(known);
    new Dialogue('delta', envoy).aim(unknown);
    expect(envoy.has.endpoint.get('a/x')?.version).toBe('real');
    const fresh = new ModelEnvoy();
    new Dialogue('delta', fresh).aim(unknown);
    expect(fresh.has.endpoint.get('a/x')?.version).toBe('none');
  });

  it('goes on without an Envoy that leaves a response unanswered', () => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    dialogue.conversation = retarget(
      dialogue.conversation,
      snapshotOf(1, { a: { version: 1, clusters: ['x'] } }),
    );
    dialogue.conversation = proceed(dialogue.conversation).conversation;
    expect(proceed(dialogue.conversation).told).toEqual([]);
    dialogue.conversation = loseHope(dialogue.conversation);
    expect(proceed(dialogue.conversation).told.map(({ kind }) => kind)).toEqual(['cluster']);
  });

  it.each<[string, World]>([
    ['is taken back', { a: { version: 1, clusters: ['x'] } }],
    ['goes', { a: { version: 2, clusters: [] } }],
  ])('leaves nothing with an Envoy that was slow and took what %s meanwhile', (_what, last) => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    dialogue.aim(snapshotOf(1, { a: { version: 1, clusters: ['x'] } }));
    dialogue.conversation = retarget(
      dialogue.conversation,
      snapshotOf(2, { a: { version: 2, clusters: ['x'] } }),
    );
    const { conversation, told } = proceed(dialogue.conversation);
    dialogue.conversation = loseHope(retarget(conversation, snapshotOf(3, last)));
    dialogue.hearAll(told.flatMap((late) => dialogue.envoy.hear(late)));
    expect(versionsOf(dialogue.envoy)).toEqual(targetVersions(snapshotOf(3, last)));
  });

  it.each<Protocol>(['delta', 'sotw'])('does not repeat a removal that is refused, over %s', (protocol) => {
    const dialogue = new Dialogue(protocol, new ModelEnvoy());
    dialogue.aim(snapshotOf(1, { a: { version: 1, clusters: ['x', 'y'] } }));
    const ask = { subscribe: [], unsubscribe: [], held: {} };
    dialogue.envoy.hear = ({ kind, nonce }) => [{ kind, nonce, refusal: 'no', ask }];
    expect(() => dialogue.aim(snapshotOf(2, {}))).not.toThrow();
    const removals = dialogue.told.filter(
      ({ kind, removed }) => kind === 'cluster' && removed.includes('a/x'),
    );
    expect(removals).toHaveLength(1);
  });

  it('ignores answers to responses it never sent', () => {
    const dialogue = new Dialogue('delta', new ModelEnvoy());
    dialogue.aim(snapshotOf(1, { a: { version: 1, clusters: ['x'] } }));
    const ask = { subscribe: [], unsubscribe: [], held: {} };
    const before = dialogue.conversation;
    dialogue.hearAll([
      { kind: 'route', nonce: '999', ask },
      { kind: 'route', nonce: '998', refusal: 'no', ask },
    ]);
    expect(dialogue.conversation.subscriptions.route.rejected).toEqual(before.subscriptions.route.rejected);
  });
});

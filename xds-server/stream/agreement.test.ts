// What a stream need not compare is the same as what it would find: beside one that knows how each publication was made of
// the last stands one that has to compare everything, and whatever a client does, both say the same.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelResource } from '#test/support/xds-model-envoy.ts';
import { forEachKind, RESOURCE_KINDS, type ResourceKind } from '#xds-server/resource-kind.ts';
import type { Resource, ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { changeResources } from '#xds-server/snapshot/resource-step.ts';
import {
  type Conversation,
  hear,
  loseHope,
  openConversation,
  type Protocol,
  proceed,
  retarget,
  type Told,
} from '#xds-server/stream/conversation.ts';

const kind = fc.constantFrom(...RESOURCE_KINDS);
const name = fc.constantFrom('a', 'b', 'c');
const names = fc.uniqueArray(
  fc.oneof({ arbitrary: name, weight: 5 }, { arbitrary: fc.constant('*'), weight: 1 }),
);

/** A resource of a world to come, or its end. */
const change = fc.record({
  kind,
  name,
  version: fc.constantFrom('1', '2', '3', undefined),
  isPlaceholder: fc.boolean(),
  needs: fc.constantFrom('a', 'b', undefined),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

type Operation =
  | { readonly do: 'publish'; readonly changes: readonly Change[] }
  | { readonly do: 'answer'; readonly which: number; readonly isRefused: boolean; readonly mentions: string }
  | {
      readonly do: 'ask';
      readonly kind: ResourceKind;
      readonly subscribe: string[];
      readonly unsubscribe: string[];
    }
  | { readonly do: 'lose-hope' };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      changes: fc.array(change, { maxLength: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      which: fc.nat(5),
      isRefused: fc.integer({ min: 0, max: 3 }).map((each) => each === 0),
      mentions: fc.oneof(name, fc.constant('')),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('ask' as const), kind, subscribe: names, unsubscribe: names }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'lose-hope' as const }) },
);

const changed = (before: ResourceSnapshot, changes: readonly Change[]): ResourceSnapshot => ({
  sequence: before.sequence + 1,
  kinds: forEachKind((each) => {
    const own = changes.filter((one) => one.kind === each);
    const resources = own.map((one): [string, Resource | undefined] => [
      one.name,
      one.version === undefined
        ? undefined
        : modelResource(one.name, one.version, {
            isPlaceholder: one.isPlaceholder,
            ...(one.needs === undefined ? {} : { needs: one.needs }),
          }),
    ]);
    return changeResources(before.kinds[each], new Map(resources));
  }),
});

/** Two clusters need one follower, and the client, which wants only the first, has that before there is the follower. */
const SHARED_FOLLOWER: readonly Operation[] = (() => {
  const yes: Operation = { do: 'answer', which: 0, isRefused: false, mentions: '' };
  const made = (of: ResourceKind, called: 'a' | 'b', needs: 'a' | 'b'): Change => ({
    kind: of,
    name: called,
    version: '1',
    isPlaceholder: false,
    needs,
  });
  return [
    { do: 'ask', kind: 'cluster', subscribe: ['a'], unsubscribe: ['*'] },
    { do: 'publish', changes: [made('cluster', 'a', 'b')] },
    yes,
    { do: 'publish', changes: [made('endpoint', 'b', 'a'), made('cluster', 'b', 'b')] },
    yes,
    yes,
    { do: 'publish', changes: [] },
    { do: 'publish', changes: [] },
    { ...yes, which: 3 },
  ];
})();

/** The same world, of which nobody knows how it was made. */
const withoutOrigin = ({ sequence, kinds }: ResourceSnapshot): ResourceSnapshot => ({
  sequence,
  kinds: forEachKind((each) => new Map(kinds[each])),
});

const NOTHING = { subscribe: [], unsubscribe: [], held: {} };

const said = (told: readonly Told[]) =>
  told.map(({ resources, removed, ...rest }) => ({
    ...rest,
    removed,
    resources: resources.map((resource) => `${resource.name} ${resource.version}`),
  }));

/** What an operation does to one of the two; both are given the same. */
const apply = (
  conversation: Conversation,
  operation: Operation,
  { target, outstanding }: { readonly target: ResourceSnapshot; readonly outstanding: readonly Told[] },
): Conversation => {
  if (operation.do === 'publish') return retarget(conversation, target);
  if (operation.do === 'lose-hope') return loseHope(conversation);
  if (operation.do === 'ask') {
    const { subscribe, unsubscribe } = operation;
    const ask = { subscribe, unsubscribe: unsubscribe.filter((each) => !subscribe.includes(each)), held: {} };
    return hear(conversation, { kind: operation.kind, nonce: '', ask });
  }
  const answered = outstanding[operation.which % Math.max(1, outstanding.length)];
  if (answered === undefined) return conversation;
  const refusal = operation.isRefused ? { refusal: `bad: ${operation.mentions}` } : {};
  return hear(conversation, { kind: answered.kind, nonce: answered.nonce, ask: NOTHING, ...refusal });
};

const opened = (protocol: Protocol): Conversation =>
  (['cluster', 'listener', 'scope'] as const).reduce(
    (conversation, each) =>
      hear(conversation, { kind: each, nonce: '', ask: { ...NOTHING, subscribe: ['*'] } }),
    openConversation(protocol),
  );

describe('a stream that knows what changed', () => {
  it('says what one says that compares everything', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Protocol>('delta', 'sotw'),
        fc.array(operation, { minLength: 5, maxLength: 60 }),
        (protocol, operations) => {
          let target: ResourceSnapshot = { sequence: 0, kinds: forEachKind(() => new Map()) };
          let [knowing, comparing] = [opened(protocol), opened(protocol)];
          const outstanding: Told[] = [];
          for (const each of operations) {
            if (each.do === 'publish') target = changed(target, each.changes);
            knowing = apply(knowing, each, { target, outstanding });
            comparing = apply(comparing, each, { target: withoutOrigin(target), outstanding });
            const [one, other] = [proceed(knowing), proceed(comparing)];
            expect(said(one.told)).toEqual(said(other.told));
            expect(one.conversation.settledSequence).toBe(other.conversation.settledSequence);
            [knowing, comparing] = [one.conversation, other.conversation];
            outstanding.push(...one.told);
            outstanding.splice(0, outstanding.length - 6);
          }
        },
      ),
      { numRuns: 10_000, examples: [['delta', [...SHARED_FOLLOWER]]] },
    );
  }, 120_000);
});

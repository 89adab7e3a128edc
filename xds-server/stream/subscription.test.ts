// Unit tests of subscription.ts: the rules of the xDS protocol, one by one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelResource } from '#test/support/xds-model-envoy.ts';
import type { Resource } from '#xds-server/snapshot/resource.ts';
import { additionBatches, difference } from '#xds-server/stream/diff.ts';
import {
  type Ask,
  acknowledged,
  asked,
  isWanted,
  NEW_SUBSCRIPTION,
  reconsidered,
  refused,
  type Subscription,
  sent,
  WILDCARD,
} from '#xds-server/stream/subscription.ts';

const NOTHING: Ask = { subscribe: [], unsubscribe: [], held: {} };
const a1 = modelResource('a', '1', { tenantId: 'ta' });
const b1 = modelResource('b', '1', { tenantId: 'tb' });
const resources = (...list: Resource[]) => new Map(list.map((resource) => [resource.name, resource]));

const wildcard = asked(NEW_SUBSCRIPTION, { ...NOTHING, subscribe: [WILDCARD] });
const has = (subscription: Subscription, ...list: Resource[]): Subscription =>
  acknowledged(sent(subscription, 'n', { resources: list, removed: [] }), 'n');
const lacks = (subscription: Subscription, ...list: Resource[]): string[] =>
  difference(subscription, resources(...list)).additions.map(({ name }) => name);

describe('a subscription', () => {
  it('wants nothing before it was asked', () => {
    expect(lacks(NEW_SUBSCRIPTION, a1)).toEqual([]);
  });

  it('to names wants those, and learns of one that appears later', () => {
    const named = asked(NEW_SUBSCRIPTION, { ...NOTHING, subscribe: ['a', 'later'] });
    expect(lacks(named, a1, b1)).toEqual(['a']);
    const told = has(named, a1);
    expect(lacks(told, a1, modelResource('later', '1'))).toEqual(['later']);
  });

  it('to everything wants everything, until the wildcard is given up', () => {
    expect(lacks(wildcard, a1, b1)).toEqual(['a', 'b']);
    const both = asked(has(wildcard, a1, b1), { ...NOTHING, subscribe: ['a'] });
    const rest = asked(has(both, a1), { ...NOTHING, unsubscribe: [WILDCARD] });
    expect(isWanted(rest.interest, 'a')).toBe(true);
    expect(isWanted(rest.interest, 'b')).toBe(false);
    expect([...rest.known.keys()]).toEqual(['a']);
  });

  it('answers a name asked for again, because the client may have dropped it', () => {
    const told = has(asked(NEW_SUBSCRIPTION, { ...NOTHING, subscribe: ['a'] }), a1);
    expect(lacks(told, a1)).toEqual([]);
    expect(lacks(asked(told, { ...NOTHING, subscribe: ['a'] }), a1)).toEqual(['a']);
  });

  it('answers a name given up under a wildcard, which still covers it', () => {
    const told = has(asked(wildcard, { ...NOTHING, subscribe: ['a'] }), a1);
    expect(lacks(asked(told, { ...NOTHING, unsubscribe: ['a'] }), a1)).toEqual(['a']);
  });

  it('says at once that a name does not exist', () => {
    const named = asked(NEW_SUBSCRIPTION, { ...NOTHING, subscribe: ['nope'] });
    const found = difference(named, resources(a1));
    expect(found.absent).toEqual(['nope']);
    const [batch] = additionBatches('route', named, found);
    expect(batch).toEqual({ resources: [], removed: ['nope'] });
  });

  it('believes what the client claims to hold', () => {
    const held = asked(NEW_SUBSCRIPTION, {
      ...NOTHING,
      subscribe: [WILDCARD],
      held: { a: '1', b: '0', gone: '1' },
    });
    expect(lacks(held, a1, b1)).toEqual(['b']);
    expect(difference(held, resources(a1, b1)).removals).toEqual(['gone']);
  });

  it('ignores an answer to nothing it sent', () => {
    const waiting = sent(wildcard, '7', { resources: [a1], removed: [] });
    expect(acknowledged(waiting, '6')).toBe(waiting);
    expect(refused(waiting, '6', 'no')).toBe(waiting);
  });

  it('has what it had when a response is refused, and blames a resource that came alone', () => {
    const a2 = modelResource('a', '2', { tenantId: 'ta' });
    const told = refused(sent(has(wildcard, a1), '2', { resources: [a2], removed: [] }), '2', 'bad');
    expect(told.known.get('a')?.version).toBe('1');
    expect(told.rejected.get('a')).toEqual({ version: '2', message: 'bad', tenantId: 'ta' });
    expect(lacks(told, a2)).toEqual([]);
    expect(lacks(told, modelResource('a', '3'))).toEqual(['a']);
  });

  it('tries a refused version again once it was not wanted in between', () => {
    const told = refused(sent(wildcard, '2', { resources: [a1], removed: [] }), '2', 'bad');
    expect(reconsidered(told, resources(a1))).toBe(told);
    expect(reconsidered(told, resources()).rejected.size).toBe(0);
  });

  it('sends what was refused together in ever smaller companies', () => {
    const c1 = modelResource('c', '1', { tenantId: 'tb' });
    const all = resources(a1, b1, c1);
    const companies = (subscription: Subscription) =>
      additionBatches('cluster', subscription, difference(subscription, all)).map((batch) =>
        batch.resources.map(({ name }) => name),
      );
    const once = refused(sent(wildcard, '1', { resources: [a1, b1, c1], removed: [] }), '1', 'bad');
    expect([companies(wildcard), companies(once)]).toEqual([[['a', 'b', 'c']], [['a'], ['b', 'c']]]);
    const twice = refused(sent(once, '2', { resources: [b1, c1], removed: [] }), '2', 'bad');
    expect(companies(twice)).toEqual([['a'], ['b'], ['c']]);
  });

  it('comes to the same whatever the order in which names are asked for', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'));
    fc.assert(
      fc.property(names, names, (some, others) => {
        const ask = (subscription: Subscription, subscribe: readonly string[]) =>
          asked(subscription, { ...NOTHING, subscribe });
        const one = ask(ask(NEW_SUBSCRIPTION, some), others);
        const other = ask(ask(NEW_SUBSCRIPTION, others), some);
        const all = ['a', 'b', 'c', 'd'].map((name) => modelResource(name, '1'));
        expect(lacks(one, ...all)).toEqual(lacks(other, ...all.toReversed()));
      }),
    );
  });
});

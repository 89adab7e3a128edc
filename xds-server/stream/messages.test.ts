// Unit tests of delta-messages.ts and sotw-messages.ts.

import { describe, expect, it } from 'vitest';
import { heardFromDelta } from '#xds-server/stream/delta-messages.ts';
import { heardFromSotw } from '#xds-server/stream/sotw-messages.ts';
import { asked, NEW_SUBSCRIPTION } from '#xds-server/stream/subscription.ts';

const delta = {
  node: null,
  type_url: '',
  response_nonce: '',
  error_detail: null,
  resource_names_subscribe: [],
  resource_names_unsubscribe: [],
  initial_resource_versions: {},
};
const sotw = {
  node: null,
  type_url: '',
  response_nonce: '',
  error_detail: null,
  resource_names: [],
  version_info: '',
};
const subscribed = (...subscribe: string[]) =>
  asked(NEW_SUBSCRIPTION, { subscribe, unsubscribe: [], held: {} });
describe('delta messages', () => {
  it('take a first message without names for a wildcard, where the kind has one', () => {
    expect(heardFromDelta(delta, 'cluster', NEW_SUBSCRIPTION).ask.subscribe).toEqual(['*']);
    expect(heardFromDelta(delta, 'route', NEW_SUBSCRIPTION).ask.subscribe).toEqual([]);
    expect(heardFromDelta(delta, 'cluster', subscribed('a')).ask.subscribe).toEqual([]);
  });

  it('say what is held, and with which publication the newest of it came', () => {
    const claim = (initial_resource_versions: Record<string, string>) => {
      const request = { ...delta, initial_resource_versions };
      const { ask, heldSequence } = heardFromDelta(request, 'cluster', NEW_SUBSCRIPTION);
      return [ask.held, heldSequence];
    };
    expect(claim({ a: 'f0@9', b: 'f1@10' })).toEqual([{ a: 'f0', b: 'f1' }, 10]);
    expect(claim({ a: 'f0', b: 'f1@x', c: '@', d: `f2@${'9'.repeat(40)}` })).toEqual([
      { a: 'f0', b: 'f1', c: '', d: 'f2' },
      -1,
    ]);
  });

  it('carry a refusal, redacted', () => {
    const request = { ...delta, response_nonce: '3', error_detail: { message: 'no, Bearer abc' } };
    expect(heardFromDelta(request, 'route', subscribed('a'))).toMatchObject({
      nonce: '3',
      refusal: 'no, [redacted]',
    });
  });
});

describe('state-of-the-world messages', () => {
  it('take no names for everything only as long as none were given', () => {
    expect(heardFromSotw(sotw, 'cluster', NEW_SUBSCRIPTION).ask.subscribe).toEqual(['*']);
    const implicit = asked(NEW_SUBSCRIPTION, heardFromSotw(sotw, 'cluster', NEW_SUBSCRIPTION).ask);
    expect(asked(implicit, heardFromSotw(sotw, 'cluster', implicit).ask).interest).toEqual(implicit.interest);
    expect(heardFromSotw(sotw, 'cluster', subscribed('*')).ask).toMatchObject({ unsubscribe: ['*'] });
    expect(heardFromSotw(sotw, 'cluster', subscribed('a')).ask).toMatchObject({ unsubscribe: ['a'] });
    expect(heardFromSotw(sotw, 'route', NEW_SUBSCRIPTION).ask.subscribe).toEqual([]);
  });

  it('say with which publication that came which is held from an earlier connection', () => {
    const claim = (version_info: string, subscription = NEW_SUBSCRIPTION) =>
      heardFromSotw({ ...sotw, version_info }, 'cluster', subscription).heldSequence;
    expect([claim('12.ab-1-7'), claim(''), claim('v1')]).toEqual([12, -1, -1]);
    expect(claim('12.ab-1-7', subscribed('a'))).toBeUndefined();
  });

  it('find what is new and what was given up by comparing', () => {
    const request = { ...sotw, resource_names: ['b', 'c'] };
    expect(heardFromSotw(request, 'route', subscribed('a', 'b')).ask).toEqual({
      subscribe: ['c'],
      unsubscribe: ['a'],
      held: {},
    });
  });
});

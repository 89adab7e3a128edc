// Orders that are carried out are read; any other refuses the call.

import { describe, expect, it } from 'vitest';
import type { Json } from '#core/json.ts';
import { joinObligations, readObligations } from '#core/policy/obligations.ts';

describe('readObligations', () => {
  it.each<[Json, object]>([
    [{}, {}],
    [{ approval: ['a', 'b'] }, { approval: ['a', 'b'] }],
    [{ logLevel: ['warn'] }, { logLevel: 'warn' }],
    [{ logLevel: ['warn', 'error'] }, { logLevel: 'error' }],
    [
      { approval: ['a'], logLevel: ['error'] },
      { approval: ['a'], logLevel: 'error' },
    ],
    [{ redact: ['/a/*', '/b~1c'] }, { redact: ['/a/*', '/b~1c'] }],
    [{ maxResponseBytes: [4096, 1024] }, { maxResponseBytes: 1024 }],
  ])('reads %j', (value, expected) => {
    expect(readObligations(value)).toEqual({ ok: true, value: expected });
  });

  it.each<[string, Json | undefined]>([
    ['nothing at all', undefined],
    ['a list', []],
    ['an order that nobody here carries out', { rewrite: ['/x'] }],
    ['a known order beside an unknown one', { logLevel: ['warn'], rewrite: ['/x'] }],
    ['a redaction of what is no pointer', { redact: ['x'] }],
    ['a redaction of nothing', { redact: [] }],
    ['more pointers than a call can carry', { redact: Array.from({ length: 65 }, (_, at) => `/${at}`) }],
    ['a cap of nothing', { maxResponseBytes: [0] }],
    ['a cap that is no number', { maxResponseBytes: ['1024'] }],
    ['half a byte', { maxResponseBytes: [1024, 0.5] }],
    ['a name inherited from Object', { constructor: ['x'] }],
    ['an order that is no list', { logLevel: 'warn' }],
    ['an empty list', { approval: [] }],
    ['a level there is not', { logLevel: ['loud'] }],
    ['a level that would hide the call', { logLevel: ['debug'] }],
    ['a rule without a name', { approval: [''] }],
    ['a rule with a number for a name', { approval: [7] }],
  ])('refuses %s', (_title, value) => {
    expect(readObligations(value).ok).toBe(false);
  });
});

describe('joinObligations', () => {
  it('carries out all that either orders', () => {
    expect(joinObligations({}, {})).toEqual({});
    expect(joinObligations({ approval: ['a'] }, { approval: ['b', 'a'], logLevel: 'warn' })).toEqual({
      approval: ['a', 'b'],
      logLevel: 'warn',
    });
    expect(
      joinObligations({ redact: ['/a'], maxResponseBytes: 9 }, { redact: ['/b', '/a'], maxResponseBytes: 7 }),
    ).toEqual({ redact: ['/a', '/b'], maxResponseBytes: 7 });
    expect(joinObligations({ maxResponseBytes: 9 }, {})).toEqual({ maxResponseBytes: 9 });
    expect(joinObligations({ logLevel: 'error' }, { logLevel: 'warn' })).toEqual({ logLevel: 'error' });
  });
});

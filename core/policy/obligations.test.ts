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
  ])('reads %j', (value, expected) => {
    expect(readObligations(value)).toEqual({ ok: true, value: expected });
  });

  it.each<[string, Json | undefined]>([
    ['nothing at all', undefined],
    ['a list', []],
    ['redaction, which nobody here carries out', { redact: ['/x'] }],
    ['a cap, which nobody here carries out', { maxResponseBytes: [1024] }],
    ['a known order beside an unknown one', { logLevel: ['warn'], redact: ['/x'] }],
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
    expect(joinObligations({ logLevel: 'error' }, { logLevel: 'warn' })).toEqual({ logLevel: 'error' });
  });
});

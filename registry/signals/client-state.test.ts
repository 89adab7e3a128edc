import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveAuditKey } from '#core/audit/audit-key.ts';
import { clientStateOf, isClientState } from '#registry/signals/client-state.ts';

const [old, current] = [deriveAuditKey(randomBytes(32)), deriveAuditKey(randomBytes(32))];
const before = { current: old, all: [old] };
const after = { current, all: [old, current] };
const name = { tenantId: 'acme', issuerId: 'entra', clientId: 'watcher' };

describe('the secret of a channel', () => {
  it('is the same at every registry and after every start, and of a length that Graph takes', () => {
    const state = clientStateOf(before, name).reveal();
    expect(clientStateOf({ ...before }, { ...name }).reveal()).toBe(state);
    expect(state).toMatch(/^[\w-]{43}$/);
  });

  it('is believed after a new key came, because the subscription is older', () => {
    const state = clientStateOf(before, name).reveal();
    expect(isClientState(after, name, state)).toBe(true);
    expect(clientStateOf(after, name).reveal()).not.toBe(state);
  });

  it.each([
    ['another tenant', { ...name, tenantId: 'beta' }],
    ['another issuer', { ...name, issuerId: 'entra-2' }],
    ['the application before', { ...name, clientId: 'watcher-2' }],
    ['names that are cut elsewhere', { ...name, tenantId: 'acmee', issuerId: 'ntra' }],
  ])('is not that of %s', (_title, other) => {
    expect(isClientState(before, name, clientStateOf(before, other).reveal())).toBe(false);
  });

  it('is no guess', () => {
    for (const guess of ['', 'undefined', clientStateOf(before, name).reveal().slice(0, 42)])
      expect(isClientState(before, name, guess), guess).toBe(false);
  });

  it('prints nowhere', () => {
    expect(String(clientStateOf(before, name))).toBe('[redacted]');
  });
});

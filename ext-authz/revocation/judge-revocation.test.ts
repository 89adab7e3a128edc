import { describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import type { Revocation } from '#core/revocation.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { judgeRevocation } from '#ext-authz/revocation/judge-revocation.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const NOON_MS = Date.parse('2026-01-01T12:00:00Z');
const NOON = NOON_MS / 1000;

const MARK: Revocation = {
  id: 'mark-1',
  tenantId: 'acme',
  target: { kind: 'subject', issuerId: 'home', subject: 'mallory' },
  notBefore: NOON,
  source: 'shared-signals',
  reason: 'laptop stolen',
  at: '2026-01-01T12:00:00.000Z',
  until: NOON + 600_000,
};

const identity = { issuerId: 'home', subject: 'mallory', issuedAt: NOON - 60 } as Identity;

const judge = (change: {
  readonly bound?: number;
  readonly ageSeconds?: number;
  readonly marked?: boolean;
}) => {
  const { bound, ageSeconds = 0, marked = false } = change;
  const book = createRevocationBook();
  if (marked) book.take(MARK, NOON);
  const tenant = {
    ...sampleTenant('acme'),
    ...(bound === undefined ? {} : { maxRevocationStaleSeconds: bound }),
  };
  const freshAtMs = NOON_MS - ageSeconds * 1_000;
  return judgeRevocation(tenant, identity, { book, freshAtMs, nowMs: NOON_MS });
};

describe('judgeRevocation()', () => {
  it('lets a caller in of whom nothing is known', () => {
    expect(judge({})).toBeUndefined();
  });

  it('names the mark in the log only', () => {
    expect(judge({ marked: true })).toMatchObject({
      reason: 'token_revoked',
      publicFacts: {},
      logFacts: { revocation: 'mark-1', source: 'shared-signals', notBefore: NOON },
    });
  });

  it('refuses everybody once the registry was not heard for longer than the tenant bears', () => {
    expect(judge({ bound: 60, ageSeconds: 60 })).toBeUndefined();
    expect(judge({ bound: 60, ageSeconds: 61 })?.reason).toBe('revocations_stale');
    expect(judge({ bound: 60, ageSeconds: NOON })?.reason).toBe('revocations_stale');
  });

  it('goes on without a bound, and tells a mark before the age', () => {
    expect(judge({ ageSeconds: 1_000_000 })).toBeUndefined();
    expect(judge({ bound: 60, ageSeconds: 61, marked: true })?.reason).toBe('token_revoked');
  });
});

// What is left of a revoked caller in the caches of a running ext-authz: nothing, and everything of everybody else. The
// broker, its exchanges and the identity provider are the real ones.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CredentialFacts, Revocation, RevocationTarget } from '#core/revocation.ts';
import { CONTOSO_TID } from '#demo/directory.ts';
import type { KnownCaller } from '#ext-authz/identity/token-cache.ts';
import { createTakeUp } from '#ext-authz/revocation/take-up.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import type { Caller } from '#test/support/test-broker.ts';
import { startTokenWorld, type TokenWorld, tenantOf } from '#test/support/token-world.ts';

let world: TokenWorld;
let alice: Caller;
let bob: Caller;

beforeAll(async () => {
  world = await startTokenWorld();
  [alice, bob] = [await world.user('alice'), await world.user('bob')];
});

afterAll(() => world.stop());

const markOn = (target: RevocationTarget): Revocation => ({
  id: 'mark-1',
  tenantId: 'default',
  target,
  notBefore: Math.floor(Date.now() / 1000) + 1,
  source: 'operator',
  reason: 'laptop stolen',
  at: '2026-01-01T12:00:00.000Z',
  until: 9_999_999_999,
});

const start = (verified: readonly Caller[] = []) => {
  const { broker, acquire } = world.startBroker();
  const metrics = createMetrics('test');
  const groups: ((tenantId: string, facts: CredentialFacts) => boolean)[] = [];
  const known: KnownCaller[] = verified.map(({ identity }) => ({
    owner: { tenantId: 'default', principal: identity.principal },
    identity,
  }));
  const takeUp = createTakeUp({
    snapshot: () => ({ sequence: 1, tenants: [tenantOf(world.provider)] }),
    forgetTokens: (isMeant) => known.filter(isMeant),
    forgetGroups: (isMeant) => void groups.push(isMeant),
    broker,
    logger: createLogger('test', 'silent'),
    metrics,
  });
  const sourceFor = async (caller: Caller): Promise<string> => {
    const outcome = await acquire(caller);
    return 'source' in outcome ? outcome.source : outcome.reason;
  };
  return { takeUp, sourceFor, groups, metricsText: async () => (await metrics.render()).body };
};

/** The purge is under way when the marks were taken up. */
const expectGone = (sourceFor: (caller: Caller) => Promise<string>, caller: Caller): Promise<void> =>
  expect.poll(() => sourceFor(caller)).toBe('exchange');

describe('marks that arrive', () => {
  it('take the tokens of a person of the directory from the broker, and nobody else’s', async () => {
    const { takeUp, sourceFor, groups, metricsText } = start();
    for (const caller of [alice, bob]) {
      expect(await sourceFor(caller)).toBe('exchange');
      expect(await sourceFor(caller)).not.toBe('exchange');
    }
    const { oid = '' } = alice.identity;
    takeUp([markOn({ kind: 'directory-user', tid: CONTOSO_TID, oid })]);
    await expectGone(sourceFor, alice);
    expect(await sourceFor(bob)).not.toBe('exchange');
    const isMeant = ({ identity }: Caller): boolean | undefined => groups[0]?.('default', identity);
    expect([isMeant(alice), isMeant(bob)]).toEqual([true, false]);
    expect(groups[0]?.('another', alice.identity)).toBe(false);
    expect(await metricsText()).toMatch(/revocations_total\{[^}]*source="operator"[^}]*\} 1/);
  });

  it('find whoever is meant by a subject of Entra where his token was verified', async () => {
    const { takeUp, sourceFor } = start([alice, bob]);
    for (const caller of [alice, bob]) await sourceFor(caller);
    const { issuerId, subject } = alice.identity;
    takeUp([markOn({ kind: 'subject', issuerId, subject })]);
    await expectGone(sourceFor, alice);
    expect(await sourceFor(bob)).not.toBe('exchange');
  });
});

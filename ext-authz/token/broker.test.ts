// The broker over a scripted exchanger: times, memory of refusals, who is told what. The real MSAL and a real token
// endpoint are in test/integration/token-broker.test.ts.

import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '#core/audit/subject.ts';
import type { Identity } from '#core/identity.ts';
import { err, ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import { createTokenBroker } from '#ext-authz/token/broker.ts';
import { createExchangeWitness } from '#ext-authz/token/exchange-witness.ts';
import { createExchangeGate } from '#ext-authz/token/gate/exchange-gate.ts';
import { createMemoryCache } from '#ext-authz/token/memory-cache.ts';
import { createRefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import { NO_SHARED_REFUSALS } from '#ext-authz/token/shared-refusals.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { NO_TRACING } from '#runtime/tracing/tracing.ts';
import { issued, refused, type Scripted, SERVER, START, TENANT, user } from '#test/support/broker-fleet.ts';

const setUp = (script: (attempt: number) => Scripted) => {
  let exchanges = 0;
  const lines: string[] = [];
  const exchanger = async () => {
    exchanges += 1;
    return script(exchanges);
  };
  let clock = START;
  const records: AuditEvent[] = [];
  const audit = { isAway: false };
  const chain = {
    append: async (event: AuditEvent) => {
      if (audit.isAway) throw new Error('away');
      records.push(event);
    },
  };
  const tools = {
    logger: createLogger('test', 'debug', { write: (line) => void lines.push(line) }),
    metrics: createTokenMetrics(createMetrics('test')),
    random: () => 0.5,
  };
  const broker = createTokenBroker({
    exchangers: { obo: exchanger, 'token-exchange': exchanger, 'client-credentials': exchanger },
    cache: createMemoryCache(() => 0),
    refusals: createRefusalMemory(),
    secrets: { read: async () => ok(new Secret('app-secret')) },
    witness: createExchangeWitness({ chain, tracing: NO_TRACING, nowMs: () => clock * 1000 }),
    gate: createExchangeGate({ ...tools, nowMs: () => clock * 1000 }),
    ...tools,
    shared: createMemoryState(() => 0),
    sharedRefusals: NO_SHARED_REFUSALS,
    monotonicMs: () => 0,
    sleep: async () => {},
  });
  const ask = async (
    identity: Identity,
    nowSeconds = START,
    assertion = `assertion of ${identity.principal}`,
  ) => {
    clock = nowSeconds;
    const result = await broker.acquire({
      tenant: TENANT,
      server: SERVER,
      identity,
      assertion: new Secret(assertion),
      nowSeconds,
      signal: new AbortController().signal,
    });
    return result.ok ? `${result.value.source} ${result.value.token?.reveal()}` : result.error;
  };
  return { ask, broker, lines, records, audit, exchanges: () => exchanges };
};

describe('acquire()', () => {
  it('exchanges once, serves from the cache, and replaces first what ends within a minute', async () => {
    const { ask, exchanges } = setUp((attempt) => issued(`token-${attempt}`, 600));
    expect(await ask(user('alice'))).toBe('exchange token-1');
    expect(await ask(user('alice'), START + 479)).toBe('cache token-1');
    expect(await ask(user('alice'), START + 541)).toBe('exchange token-2');
    expect(exchanges()).toBe(2);
  });

  it('uses a token in its last minute where no fresh one can be had, and never past its end', async () => {
    const { ask } = setUp((attempt) =>
      attempt === 1 ? issued('old', 600) : err({ kind: 'unreachable', detail: 'refused' }),
    );
    await ask(user('alice'));
    expect(await ask(user('alice'), START + 590)).toBe('cache old');
    expect(await ask(user('alice'), START + 591)).toBe('cache old');
    expect(await ask(user('alice'), START + 600)).toMatchObject({ reason: 'provider_unavailable' });
  });

  it('never uses a delegated token past the end of the caller’s own', async () => {
    const { ask } = setUp((attempt) =>
      attempt === 1 ? issued('long', 9_000) : err({ kind: 'unreachable', detail: 'refused' }),
    );
    const alice = user('alice', { expiresAt: START + 100 });
    await ask(alice);
    expect(await ask(alice, START + 30)).toBe('cache long');
    expect(await ask(alice, START + 100)).toMatchObject({ reason: 'provider_unavailable' });
  });

  it('uses neither tokens nor refusals from before the clock was set back: they would hold an hour too long', async () => {
    const token = setUp((attempt) => issued(`token-${attempt}`, 600));
    await token.ask(user('alice'));
    expect(await token.ask(user('alice'), START - 30)).toBe('cache token-1');
    expect(await token.ask(user('alice'), START - 3_600)).toBe('exchange token-2');
    expect(await token.ask(user('alice'), START - 3_000)).toBe('exchange token-3');
    const refusal = setUp((attempt) =>
      attempt === 1 ? refused({ status: 429, retryAfterSeconds: 20 }) : issued('fresh'),
    );
    expect(await refusal.ask(user('alice'))).toMatchObject({ reason: 'provider_throttled' });
    expect(await refusal.ask(user('alice'), START - 3_600)).toBe('exchange fresh');
  });

  it('does not use an old token once the provider has refused the caller', async () => {
    const { ask } = setUp((attempt) => (attempt === 1 ? issued('old', 600) : refused({ codes: [53003] })));
    await ask(user('alice'));
    expect(await ask(user('alice'), START + 590)).toMatchObject({ reason: 'access_blocked' });
    expect(await ask(user('alice'), START + 591)).toMatchObject({ reason: 'access_blocked' });
  });

  it('lets a throttled user wait as long as the provider asks, and no other user at all', async () => {
    const { ask, exchanges } = setUp((attempt) =>
      attempt === 1 ? refused({ status: 429, retryAfterSeconds: 20 }) : issued('token'),
    );
    expect(await ask(user('alice'))).toMatchObject({
      reason: 'provider_throttled',
      publicFacts: { retryAfterSeconds: 22 },
    });
    expect(await ask(user('bob'))).toBe('exchange token');
    expect(await ask(user('alice'), START + 19)).toMatchObject({ reason: 'provider_throttled' });
    expect(exchanges()).toBe(2);
    expect(await ask(user('alice'), START + 23)).toBe('exchange token');
  });

  it('opens the breaker for all users of an application whose credential is refused, then closes it', async () => {
    const { ask, exchanges } = setUp((attempt) =>
      attempt === 1 ? refused({ error: 'invalid_client', codes: [7000215] }) : issued('token'),
    );
    expect(await ask(user('alice'))).toMatchObject({ reason: 'exchange_credential_refused' });
    expect(await ask(user('bob'))).toMatchObject({ reason: 'exchange_credential_refused' });
    expect(exchanges()).toBe(1);
    expect(await ask(user('bob'), START + 31)).toBe('exchange token');
  });

  it('lets no user who has not consented stand in the way of one who has', async () => {
    const { ask, exchanges } = setUp((attempt) =>
      attempt === 1 ? refused({ codes: [65001], suberror: 'consent_required' }) : issued('token'),
    );
    await ask(user('alice'));
    expect(await ask(user('bob'))).toBe('exchange token');
    expect(await ask(user('alice'), START + 200)).toMatchObject({ reason: 'consent_required' });
    expect(exchanges()).toBe(2);
  });

  it('remembers a resource the directory does not know for everybody, five minutes at most', async () => {
    const { ask, exchanges } = setUp((attempt) =>
      attempt === 1 ? refused({ codes: [650052] }) : issued('token'),
    );
    await ask(user('alice'));
    expect(await ask(user('bob'), START + 200)).toMatchObject({ reason: 'consent_required' });
    expect(exchanges()).toBe(1);
    expect(await ask(user('bob'), START + 301)).toBe('exchange token');
  });

  it('does not ask again with an assertion that was rejected, and asks at once with a new one', async () => {
    const { ask, exchanges } = setUp((attempt) =>
      attempt === 1 ? refused({ codes: [50013] }) : issued('token'),
    );
    await ask(user('alice'));
    expect(await ask(user('alice'), START + 3_900)).toMatchObject({ reason: 'assertion_rejected' });
    expect(exchanges()).toBe(1);
    expect(await ask(user('alice'), START + 1, 'new assertion')).toBe('exchange token');
  });

  it('purges every token of a caller whose session the provider has ended', async () => {
    const { ask } = setUp((attempt) =>
      attempt === 2 ? refused({ codes: [50173] }) : issued(`token-${attempt}`),
    );
    await ask(user('alice'), START, 'one device');
    expect(await ask(user('alice'), START, 'other device')).toMatchObject({ reason: 'session_revoked' });
    expect(await ask(user('alice'), START, 'one device')).toBe('exchange token-3');
  });

  it('purges on command', async () => {
    const { ask, broker } = setUp((attempt) => issued(`token-${attempt}`));
    await ask(user('alice'));
    await ask(user('bob'));
    await broker.purge('default', 'alice');
    expect(await ask(user('alice'))).toBe('exchange token-3');
    expect(await ask(user('bob'))).toBe('cache token-2');
  });

  it('hands a claims challenge to callers who can answer one, as base64', async () => {
    const claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
    const { ask } = setUp(() => refused({ error: 'interaction_required', codes: [50076], claims }));
    expect(await ask(user('alice', { claimsChallenges: true }))).toMatchObject({
      reason: 'step_up_required',
      publicFacts: { claims: Buffer.from(claims).toString('base64') },
    });
    expect(await ask(user('bob'))).toMatchObject({ reason: 'step_up_required', publicFacts: {} });
  });

  it('never sends the caller’s own token on, even if the provider hands it back', async () => {
    const { ask } = setUp(() => issued('assertion of alice'));
    expect(await ask(user('alice'))).toMatchObject({ reason: 'exchange_misconfigured' });
  });

  it('shares the application’s own token among app-only callers and keeps it from users', async () => {
    const { ask, exchanges } = setUp((attempt) => issued(`token-${attempt}`));
    expect(await ask(user('job-1', { kind: 'app' }))).toBe('exchange token-1');
    expect(await ask(user('job-2', { kind: 'app' }))).toBe('cache token-1');
    expect(await ask(user('alice'))).toBe('exchange token-2');
    expect(exchanges()).toBe(2);
  });

  it('logs codes and ids of a refusal, and no token', async () => {
    const traceId = '0d5a1f0e-7a51-4f0c-8d64-2b8c1e3f5a01';
    const { ask, lines } = setUp(() => refused({ codes: [50013], traceId }));
    const denied = await ask(user('alice'));
    expect(denied).toMatchObject({ logFacts: { codes: [50013], traceId, application: 'app' } });
    expect(lines.join('')).toContain(traceId);
    expect(lines.join('') + JSON.stringify(denied)).not.toMatch(/assertion of|app-secret/);
  });
});

describe('a provider that is down for several callers', () => {
  it('is not asked for the next one, and whose token is cached notices nothing', async () => {
    const { ask, exchanges } = setUp((attempt) =>
      attempt === 1 ? issued('kept', 600) : err({ kind: 'unreachable', detail: 'the request timed out' }),
    );
    await ask(user('alice'));
    for (const name of ['bob', 'carol', 'dave']) {
      expect(await ask(user(name))).toMatchObject({ reason: 'provider_unavailable' });
    }
    expect(exchanges()).toBe(4);
    expect(await ask(user('erin'))).toMatchObject({
      reason: 'provider_unavailable',
      publicFacts: { retryAfterSeconds: 2 },
      logFacts: { provider: 'paused' },
    });
    expect(await ask(user('alice'))).toBe('cache kept');
    expect(await ask(user('alice'), START + 1)).toBe('cache kept');
    expect(exchanges()).toBe(4);
  });
});

describe('the audit of exchanges', () => {
  it('has a record of each, with whose token it is for and without the token', async () => {
    const correlationId = '0d5a1f0e-7a51-4f0c-8d64-2b8c1e3f5a02';
    const { ask, records } = setUp((attempt) =>
      attempt === 1 ? issued('token-1', 600) : refused({ codes: [53003], correlationId }),
    );
    await ask(user('alice'));
    await ask(user('alice'));
    await ask(user('bob'));
    await ask(user('bob'));
    const common = {
      event: 'TokenExchanged',
      tenant: 'default',
      server: 'tracker',
      issuer: 'contoso',
      mode: 'obo',
      application: 'app',
      scopes: ['api://x/.default'],
    };
    const about = (principal: string) => ({ principal, fields: {} });
    const at = new Date(START * 1000).toISOString();
    const failure = { provider: 'refused', error: 'invalid_grant', codes: [53003], correlationId };
    expect(records).toEqual([
      { at, kind: 'event', about: about('alice'), body: { ...common, outcome: 'ok', lifetimeSeconds: 600 } },
      { at, kind: 'event', about: about('bob'), body: { ...common, outcome: 'access_blocked', ...failure } },
    ]);
  });

  it('is waited for: a token whose exchange is not on record is neither used nor kept', async () => {
    const { ask, audit, exchanges } = setUp((attempt) => issued(`token-${attempt}`, 600));
    audit.isAway = true;
    expect(await ask(user('alice'))).toMatchObject({ reason: 'audit_unavailable' });
    audit.isAway = false;
    expect(await ask(user('alice'))).toBe('exchange token-2');
    audit.isAway = true;
    expect(await ask(user('alice'), START + 550)).toBe('cache token-2');
    expect(exchanges()).toBe(3);
  });

  it('changes nothing about a refusal that is not on record', async () => {
    const { ask, audit, exchanges } = setUp(() => refused({ codes: [53003] }));
    audit.isAway = true;
    expect(await ask(user('alice'))).toMatchObject({ reason: 'access_blocked' });
    expect(await ask(user('alice'))).toMatchObject({ reason: 'access_blocked' });
    expect(exchanges()).toBe(1);
  });
});

// The gate over exchanges that end when the test says so: turns and breakers together, in counts.

import { describe, expect, it } from 'vitest';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { ExchangedToken, ExchangeFailure } from '#ext-authz/token/exchanger.ts';
import { createExchangeGate, type GateVisit } from '#ext-authz/token/gate/exchange-gate.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';

type Exchanged = Result<ExchangedToken, ExchangeFailure>;

const ISSUED: Exchanged = ok({ token: new Secret('token'), expiresInSeconds: 3_600 });
const DOWN: Exchanged = err({ kind: 'unreachable', detail: 'the request timed out' });
const refused = (codes: readonly number[], status = 400): Exchanged =>
  err({ kind: 'refused', status, error: 'invalid_grant', codes });

const visit = (tenantId: string, caller: string, parts: Partial<GateVisit> = {}): GateVisit => ({
  tenantId,
  tokenEndpoint: `https://login.example/${tenantId}/token`,
  applicationKey: `application of ${tenantId}`,
  callerKey: caller,
  clientId: 'app',
  ...parts,
});

/** Promises that are due have settled. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const setUp = () => {
  const clock = { nowMs: 0 };
  const lines: string[] = [];
  const metrics = createMetrics('test');
  const gate = createExchangeGate({
    logger: createLogger('test', 'debug', { write: (line) => void lines.push(line) }),
    metrics: createTokenMetrics(metrics),
    nowMs: () => clock.nowMs,
    random: () => 0,
  });
  const started: string[] = [];
  const ends: ((answer: Exchanged) => void)[] = [];
  /** Visits with an exchange that ends by `ends`. */
  const come = (at: GateVisit) =>
    gate.run(at, () => {
      started.push(`${at.tenantId} ${at.callerKey}`);
      return new Promise<Exchanged>((resolve) => ends.push(resolve));
    });
  const ask = (at: GateVisit, answer: Exchanged) => gate.run(at, async () => answer);
  const fail = async (tenantId: string, answer: Exchanged, callers = ['alice', 'bob', 'carol']) => {
    for (const caller of callers) await ask(visit(tenantId, caller), answer);
  };
  return { gate, clock, lines, metrics, started, ends, come, ask, fail };
};

describe('turns', () => {
  it('let a user of another tenant in before the second of a thousand exchanges has ended', async () => {
    const { come, started, ends, gate } = setUp();
    const all = Array.from({ length: 1_000 }, (_, index) => come(visit('a', `user ${index}`)));
    for (let number = 0; number < 6; number += 1) void come(visit('c', `filler ${number}`));
    const other = come(visit('b', 'bob'));
    await settled();
    expect(started).toHaveLength(24);
    expect(started).not.toContain('b bob');
    ends[0]?.(ISSUED);
    ends[1]?.(ISSUED);
    await settled();
    expect(started.slice(24)).toContain('b bob');
    for (let done = 2; done < ends.length; done += 1) {
      expect(started.length - done).toBeLessThanOrEqual(24);
      ends[done]?.(ISSUED);
      await settled();
    }
    expect(started).toHaveLength(1_007);
    expect((await Promise.all([...all, other])).every(({ ok: went }) => went)).toBe(true);
    expect(gate.facts()).toEqual({ tokenExchangesWaiting: 0, tokenExchangesPaused: 0 });
  });

  it('are given up by those nobody waits for, and by those alone', async () => {
    const { come, started, ends, gate } = setUp();
    for (let number = 0; number < 18; number += 1) void come(visit('a', `user ${number}`));
    const abandoned = new AbortController();
    const gone = come(visit('a', 'gone', { abandoned: abandoned.signal }));
    const stays = come(visit('a', 'stays', { abandoned: new AbortController().signal }));
    await settled();
    abandoned.abort();
    expect(await gone).toMatchObject({ error: { reason: 'provider_busy' } });
    expect(gate.facts()).toMatchObject({ tokenExchangesWaiting: 1 });
    ends[0]?.(ISSUED);
    await settled();
    expect(started.at(-1)).toBe('a stays');
    ends.at(-1)?.(ISSUED);
    expect((await stays).ok).toBe(true);
    const late = visit('a', 'late', { abandoned: abandoned.signal });
    expect(await come(late)).toMatchObject({ error: { reason: 'provider_busy' } });
  });

  it('end for who comes to a full queue, at once and with a time to come back', async () => {
    const { come, started, gate, metrics } = setUp();
    for (let number = 0; number < 2_018; number += 1) void come(visit('a', `user ${number}`));
    expect(await come(visit('a', 'one more'))).toEqual({
      ok: false,
      error: { reason: 'provider_busy', retryAfterSeconds: 3, logFacts: { provider: 'queue full' } },
    });
    expect(started).toHaveLength(18);
    expect(gate.facts()).toMatchObject({ tokenExchangesWaiting: 2_000 });
    const { body } = await metrics.render();
    expect(body).toMatch(/token_exchanges_turned_away_total\{reason="provider_busy",.*\} 1/);
    expect(body).toMatch(/token_exchanges_waiting\{.*\} 2000/);
    expect(body).toMatch(/token_exchanges_running\{.*\} 18/);
  });

  it('pass on when an exchange breaks', async () => {
    const { gate, ask } = setUp();
    const broken = gate.run(visit('a', 'alice'), () => Promise.reject(new Error('broken')));
    await expect(broken).rejects.toThrow('broken');
    expect((await ask(visit('a', 'alice'), ISSUED)).ok).toBe(true);
    expect(gate.facts()).toMatchObject({ tokenExchangesWaiting: 0 });
  });
});

describe('breakers', () => {
  const PAUSED = { ok: false, error: { reason: 'provider_unavailable', retryAfterSeconds: 2 } };

  it('answer at once while a provider is down, for its tenant alone, and say so in facts, metrics and log', async () => {
    const { fail, come, ask, started, gate, lines, metrics } = setUp();
    await fail('a', DOWN);
    expect(await come(visit('a', 'dave'))).toMatchObject(PAUSED);
    expect(started).toEqual([]);
    expect((await ask(visit('b', 'bob'), ISSUED)).ok).toBe(true);
    const other = visit('a', 'alice', { tokenEndpoint: 'https://login.example/other/token' });
    expect((await ask(other, ISSUED)).ok).toBe(true);
    expect(gate.facts()).toMatchObject({
      tokenExchangesPaused: 1,
      tokenExchangesPausedFor: [{ tenant: 'a', host: 'login.example' }],
    });
    expect((await metrics.render()).body).toMatch(/token_exchanges_paused\{.*\} 1/);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'token exchanges paused', tenant: 'a', reason: 'provider_unavailable', pauseSeconds: 2 },
    ]);
  });

  it('let one try after the pause, and everybody when it was answered', async () => {
    const { fail, come, ends, clock, started, lines } = setUp();
    await fail('a', refused([], 503));
    clock.nowMs = 2_000;
    const first = come(visit('a', 'dave'));
    expect(await come(visit('a', 'erin'))).toMatchObject(PAUSED);
    await settled();
    ends[0]?.(ISSUED);
    expect((await first).ok).toBe(true);
    void come(visit('a', 'erin'));
    await settled();
    expect(started).toEqual(['a dave', 'a erin']);
    expect(lines.at(-1)).toContain('token exchanges go on');
  });

  it('turn those away who were in the queue when it opened, without asking for them', async () => {
    const { come, ends, started } = setUp();
    const visits = Array.from({ length: 30 }, (_, number) => come(visit('a', `user ${number}`)));
    await settled();
    for (const end of ends.slice(0, 3)) end(DOWN);
    await settled();
    const asked = started.length;
    for (const end of ends.slice(3)) end(DOWN);
    const outcomes = await Promise.all(visits);
    expect(started).toHaveLength(asked);
    expect(asked).toBeLessThanOrEqual(20);
    expect(outcomes.filter(({ ok: went }) => !went)).toHaveLength(30 - asked);
  });

  it('stay closed for throttled, refused and unsent exchanges of however many users', async () => {
    const { fail, ask, gate } = setUp();
    const users = Array.from({ length: 10 }, (_, number) => `user ${number}`);
    for (const answer of [
      refused([], 429),
      refused([53003]),
      err({ kind: 'unsent', detail: 'x' } as const),
    ]) {
      await fail('a', answer, users);
    }
    expect((await ask(visit('a', 'dave'), ISSUED)).ok).toBe(true);
    expect(gate.facts()).toMatchObject({ tokenExchangesPaused: 0 });
  });

  it('open at once for an application whose credential is refused, and for no other of the tenant', async () => {
    const { ask, clock } = setUp();
    await ask(visit('a', 'alice'), refused([7000215]));
    expect(await ask(visit('a', 'bob'), ISSUED)).toMatchObject({
      error: { reason: 'exchange_credential_refused', retryAfterSeconds: 30 },
    });
    const other = visit('a', 'bob', { applicationKey: 'another application' });
    expect((await ask(other, ISSUED)).ok).toBe(true);
    clock.nowMs = 30_000;
    await ask(visit('a', 'bob'), refused([7000215]));
    expect(await ask(visit('a', 'bob'), ISSUED)).toMatchObject({ error: { retryAfterSeconds: 60 } });
    clock.nowMs = 90_000;
    expect((await ask(visit('a', 'bob'), ISSUED)).ok).toBe(true);
    expect((await ask(visit('a', 'alice'), ISSUED)).ok).toBe(true);
  });
});

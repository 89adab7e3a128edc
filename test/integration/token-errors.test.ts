// The error map row by row, each through a real answer of a provider over HTTP: what the client gets, what is logged and
// put on record, for how long and for whom it is remembered; and that nothing secret and none of a provider's words is in
// anything that leaves the process.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deny } from '#core/decision.ts';
import { APPLICATIONS } from '#demo/directory.ts';
import { ENTRA_ERRORS, type EntraCode } from '#demo/mini-entra/entra-error.ts';
import type { FaultOrder } from '#demo/mini-entra/faults.ts';
import { checkResponseFromDecision } from '#ext-authz/response/check-response.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { startTracing } from '#runtime/tracing/start-tracing.ts';
import { startOtlpReceiver } from '#test/support/otlp-receiver.ts';
import type { Caller, TestBroker } from '#test/support/test-broker.ts';
import { startTokenWorld, type TokenWorld, trackerServer } from '#test/support/token-world.ts';

type Row = {
  readonly meets: FaultOrder;
  /** The client said that it can answer claims challenges. */
  readonly answersClaims?: boolean;
  readonly reason: string;
  readonly status: number;
  /** Of the challenge. */
  readonly challenge?: RegExp;
  readonly retryAfterSeconds?: number;
  /** `token`: as long as the caller's token lives. */
  readonly remembered: number | 'token';
  /** Everybody with the same application, or who needs the same consent. */
  readonly shared?: true;
  readonly level: 'warn' | 'error';
  readonly facts: object;
};

const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';
const refusal = (code: EntraCode, more: Partial<FaultOrder> = {}): FaultOrder => ({
  kind: 'refusal',
  code,
  ...more,
});
const refused = (status: number, code: EntraCode) => ({
  provider: 'refused',
  status,
  codes: [code],
  error: ENTRA_ERRORS[code].error,
  traceId: expect.any(String),
  correlationId: expect.any(String),
});
const INVALID_TOKEN = /error="invalid_token"/;

const ROWS: Readonly<Record<string, Row>> = {
  'a step-up, asked of a client that can answer': {
    meets: refusal(50076, { claims: CLAIMS }),
    answersClaims: true,
    reason: 'step_up_required',
    status: 401,
    challenge: /error="insufficient_claims".*claims="/,
    remembered: 30,
    level: 'warn',
    facts: { ...refused(400, 50076), hasClaims: true, suberror: 'basic_action' },
  },
  'a step-up, asked of any other client': {
    meets: refusal(50076, { claims: CLAIMS }),
    reason: 'step_up_required',
    status: 403,
    remembered: 30,
    level: 'warn',
    facts: { ...refused(400, 50076), hasClaims: true },
  },
  'access that is blocked': {
    meets: refusal(50105),
    reason: 'access_blocked',
    status: 200,
    remembered: 60,
    level: 'warn',
    facts: refused(400, 50105),
  },
  'a consent of the user that is missing': {
    meets: refusal(65001),
    reason: 'consent_required',
    status: 200,
    remembered: 300,
    level: 'warn',
    facts: { ...refused(400, 65001), suberror: 'consent_required' },
  },
  'a resource nobody can have consented to': {
    meets: refusal(650057),
    reason: 'consent_required',
    status: 200,
    remembered: 300,
    shared: true,
    level: 'warn',
    facts: refused(400, 650057),
  },
  'an assertion that is not valid': {
    meets: refusal(500133),
    reason: 'assertion_rejected',
    status: 401,
    challenge: INVALID_TOKEN,
    remembered: 'token',
    level: 'warn',
    facts: refused(400, 500133),
  },
  'a refresh token that has died': {
    meets: refusal(700082),
    reason: 'assertion_rejected',
    status: 401,
    challenge: INVALID_TOKEN,
    remembered: 'token',
    level: 'warn',
    facts: refused(400, 700082),
  },
  'a grant that no number explains': {
    meets: refusal(50148),
    reason: 'assertion_rejected',
    status: 401,
    challenge: INVALID_TOKEN,
    remembered: 30,
    level: 'warn',
    facts: refused(400, 50148),
  },
  'an assertion for another application': {
    meets: refusal(500131),
    reason: 'exchange_misconfigured',
    status: 500,
    remembered: 60,
    level: 'error',
    facts: refused(400, 500131),
  },
  'a session that was ended': {
    meets: refusal(50173),
    reason: 'session_revoked',
    status: 401,
    challenge: INVALID_TOKEN,
    remembered: 'token',
    level: 'warn',
    facts: refused(400, 50173),
  },
  'an application in the place of a user': {
    meets: refusal(7000114),
    reason: 'app_only_refused',
    status: 200,
    remembered: 'token',
    level: 'warn',
    facts: refused(400, 7000114),
  },
  'a credential of the gateway that has ended': {
    meets: refusal(7000222),
    reason: 'exchange_credential_refused',
    status: 503,
    retryAfterSeconds: 30,
    remembered: 30,
    shared: true,
    level: 'error',
    facts: refused(401, 7000222),
  },
  'a parameter the provider does not take': {
    meets: refusal(9010010),
    reason: 'exchange_misconfigured',
    status: 500,
    remembered: 30,
    level: 'error',
    facts: refused(400, 9010010),
  },
  'a loop that the provider sees': {
    meets: refusal(50196),
    reason: 'provider_throttled',
    status: 503,
    retryAfterSeconds: 5,
    remembered: 5,
    level: 'warn',
    facts: refused(400, 50196),
  },
  throttling: {
    meets: { kind: 'throttled', retryAfterSeconds: 9 },
    reason: 'provider_throttled',
    status: 503,
    retryAfterSeconds: 9,
    remembered: 9,
    level: 'warn',
    facts: { status: 429 },
  },
  'an outage in the provider’s own words': {
    meets: refusal(90033),
    reason: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 2,
    remembered: 2,
    level: 'warn',
    facts: refused(503, 90033),
  },
  'an outage that says how long': {
    meets: { kind: 'server_error', retryAfterSeconds: 20 },
    reason: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 20,
    remembered: 20,
    level: 'warn',
    facts: { status: 503 },
  },
  'an answer that is no JSON': {
    meets: { kind: 'non_json' },
    reason: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 2,
    remembered: 2,
    level: 'warn',
    facts: { provider: 'unreadable' },
  },
  'an answer that breaks off': {
    meets: { kind: 'truncated' },
    reason: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 2,
    remembered: 2,
    level: 'warn',
    facts: { provider: expect.stringMatching(/unreadable|unreachable/) },
  },
  'no answer': {
    meets: { kind: 'timeout', delayMs: 3_000 },
    reason: 'provider_unavailable',
    status: 503,
    retryAfterSeconds: 2,
    remembered: 2,
    level: 'warn',
    facts: { provider: 'unreachable', detail: 'the request timed out' },
  },
};

let world: TokenWorld;
beforeAll(async () => {
  world = await startTokenWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  world.provider.control.faults.clear();
  world.provider.control.resetCounters();
});

const asked = (): number => world.provider.control.counters().on_behalf_of.requests;

const userOf = ({ answersClaims }: Row): Promise<Caller> =>
  world.user('alice', answersClaims ? { claims: '{"access_token":{"xms_cc":{"values":["cp1"]}}}' } : {});

/** What a call gets of the broker `laterSeconds` from now. */
const ask = ({ broker }: TestBroker, caller: Caller, nowSeconds: number) =>
  broker.acquire({
    tenant: world.tenant,
    server: trackerServer(),
    ...caller,
    cause: { requestId: 'r-1' },
    nowSeconds,
    signal: AbortSignal.timeout(20_000),
  });

const refusalOf = async (answer: ReturnType<typeof ask>): Promise<Deny> => {
  const result = await answer;
  if (result.ok) throw new Error('was not refused');
  return result.error;
};

/** The HTTP answer of the gateway. */
const answerTo = (denial: Deny) => {
  const message = checkResponseFromDecision(denial, {
    id: 7,
    requestId: 'r-1',
    resourceMetadataUrl: 'https://gw.example/.well-known/oauth-protected-resource/mcp/tracker',
    scopes: ['api://tracker/tools.use'],
    refusalStatus: 200,
    contact: 'ada@contoso.example',
  });
  if (!('denied_response' in message)) throw new Error('was not refused');
  const { status, headers = [], body = '' } = message.denied_response;
  const named = Object.fromEntries(headers.map(({ header }) => [header.key, header.value]));
  return { status: status.code, headers: named, body };
};

describe.each(Object.entries(ROWS))('%s', (_name, row) => {
  it('is answered, logged, put on record and remembered as its row says', async () => {
    world.provider.control.faults.add({ ...row.meets, grant: 'on_behalf_of', user: 'alice' });
    const later = { ms: 0 };
    const running = world.startBroker({ timeoutMs: 300, random: () => 0, laterMs: () => later.ms });
    const [alice, bob] = [await userOf(row), await world.user('bob')];
    const now = Math.floor(Date.now() / 1000);
    const denial = await refusalOf(ask(running, alice, now));
    expect(denial.reason).toBe(row.reason);

    const { status, headers, body } = answerTo(denial);
    expect(status).toBe(row.status);
    if (row.challenge === undefined) expect(headers).not.toHaveProperty('www-authenticate');
    else expect(headers['www-authenticate']).toMatch(row.challenge);
    const told = Number(headers['retry-after'] ?? Number.NaN);
    // The provider's own wish counts from its answer, which takes its time.
    if (row.retryAfterSeconds === undefined) expect(headers).not.toHaveProperty('retry-after');
    else expect(told - row.retryAfterSeconds).toBeOneOf([0, 1]);
    expect(JSON.parse(body)).toMatchObject({ id: 7, error: { data: { reason: row.reason } } });

    const lines = running.log.map((text) => JSON.parse(text) as Record<string, unknown>);
    const [line, ...others] = lines.filter(({ message }) => message !== 'token exchanges paused');
    const place = { tenant: 'default', server: 'tracker', issuer: 'contoso' };
    expect(line).toMatchObject({ level: row.level, ...place, reason: row.reason, ...row.facts });
    expect(others).toEqual([]);
    expect(running.records.map(({ body: record }) => record)).toMatchObject([
      { event: 'TokenExchanged', requestId: 'r-1', outcome: row.reason, ...place },
    ]);

    const end = row.remembered === 'token' ? alice.identity.expiresAt : now + row.remembered;
    expect((await refusalOf(ask(running, alice, end - 1))).reason).toBe(row.reason);
    expect(asked()).toBe(1);
    const other = await ask(running, bob, now);
    expect(other.ok ? 'a token' : other.error.reason).toBe(row.shared ? row.reason : 'a token');
    world.provider.control.faults.clear();
    if (row.remembered === 'token') return;
    later.ms = (row.remembered + 2) * 1000;
    expect((await ask(running, alice, end + 2)).ok).toBe(true);
  });
});

describe('what leaves the process', () => {
  it('holds no secret, no token, no user and none of the provider’s words, whatever was met', async () => {
    const collector = await startOtlpReceiver();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.endpoint;
    const tracing = await startTracing('ext-authz', createMetrics('test'));
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    const running = world.startBroker({ timeoutMs: 300, tracing, laterMs: () => 1e9 });
    const emitted: string[] = [];
    const tokens: string[] = [];
    const now = Math.floor(Date.now() / 1000);
    for (const row of Object.values(ROWS)) {
      world.provider.control.faults.add({ ...row.meets, grant: 'on_behalf_of', user: 'alice', times: 1 });
      const [alice, bob] = [await userOf(row), await world.user('bob')];
      const denial = await refusalOf(ask(running, alice, now));
      emitted.push(JSON.stringify(denial), JSON.stringify(answerTo(denial)));
      const good = await ask(running, bob, now + 1_000);
      tokens.push(
        alice.assertion.reveal(),
        bob.assertion.reveal(),
        good.ok ? (good.value.token?.reveal() ?? '') : '',
      );
      emitted.push(JSON.stringify(good));
    }
    await tracing.stop();
    await collector.stop();
    emitted.push(
      ...running.log,
      await running.metricsText(),
      ...collector.bodies,
      JSON.stringify(running.records),
    );
    const text = emitted.join('\n');
    expect(collector.spans.length).toBeGreaterThanOrEqual(Object.keys(ROWS).length);
    expect(running.records.length).toBeGreaterThanOrEqual(Object.keys(ROWS).length);
    const secrets = APPLICATIONS.flatMap(({ secret }) => secret ?? []);
    const sentences = Object.values(ENTRA_ERRORS).map(({ sentence }) => sentence);
    // The last 40 characters of a token are of its signature, and no other's.
    const signatures = tokens.filter((token) => token !== '').map((token) => token.slice(-40));
    expect(signatures.length).toBeGreaterThan(2 * Object.keys(ROWS).length);
    for (const hidden of [...secrets, ...sentences, ...signatures, 'AADSTS', 'eyJ0', 'alice', 'bob']) {
      expect(text.includes(hidden), hidden).toBe(false);
    }
  });
});

// The token broker against a provider that really checks: the real MSAL, the real egress guard, mini-entra over HTTP.

import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { APPLICATION_IDS, CONTOSO_TID, FABRIKAM_TID } from '#demo/directory.ts';
import type { FaultOrder } from '#demo/mini-entra/faults.ts';
import { startTokenWorld, type TokenWorld, trackerServer } from '#test/support/token-world.ts';

let world: TokenWorld;
beforeAll(async () => {
  world = await startTokenWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  world.provider.control.faults.clear();
  world.provider.control.resetCounters();
  world.provider.control.setLifetime(undefined);
  for (const name of ['alice', 'bob', 'paula']) world.provider.control.world.setEnabled(name, true);
});

const exchanges = (): number => world.provider.control.counters().on_behalf_of.requests;

describe('On-Behalf-Of', () => {
  it('trades a user’s token for one of the server’s own resource, same user', async () => {
    const alice = await world.user('alice');
    const { acquire } = world.startBroker();
    expect(await acquire(alice)).toMatchObject({
      source: 'exchange',
      claims: {
        aud: APPLICATION_IDS.trackerApi,
        azp: APPLICATION_IDS.gatewayTracker,
        oid: alice.identity.oid,
        tid: CONTOSO_TID,
        scp: 'tracker.access',
      },
    });
    expect(await acquire(alice)).toMatchObject({ source: 'cache' });
    expect(exchanges()).toBe(1);
  });

  it('asks the partner’s own directory for a partner’s user', async () => {
    const outcome = await world.startBroker().acquire(await world.user('paula'));
    expect(outcome).toMatchObject({
      claims: {
        tid: FABRIKAM_TID,
        iss: world.provider.issuer(FABRIKAM_TID),
        aud: APPLICATION_IDS.trackerApi,
      },
    });
  });

  it('makes one exchange of a thousand calls at once', async () => {
    const alice = await world.user('alice');
    const { acquire } = world.startBroker();
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => acquire(alice)));
    expect(new Set(outcomes.map((outcome) => 'text' in outcome && outcome.text)).size).toBe(1);
    expect(outcomes[0]).toMatchObject({ source: 'exchange' });
    expect(exchanges()).toBe(1);
  });

  it('never gives one user the token of another, however their calls are mixed', async () => {
    const callers = [await world.user('alice'), await world.user('bob'), await world.user('paula')];
    const { acquire } = world.startBroker();
    const calls = Array.from({ length: 60 }, (_, index) => callers[index % callers.length] ?? callers[0]);
    const outcomes = await Promise.all(calls.map((caller) => caller && acquire(caller)));
    outcomes.forEach((outcome, index) => {
      expect(outcome).toMatchObject({ claims: { oid: calls[index]?.identity.oid } });
    });
    expect(exchanges()).toBe(3);
  });

  it('keeps two sessions of one user apart', async () => {
    const { acquire } = world.startBroker();
    const [laptop, phone] = [await world.user('alice'), await world.user('alice')];
    for (const caller of [laptop, phone, laptop, phone]) await acquire(caller);
    expect(exchanges()).toBe(2);
  });

  it('replaces a token before its end, also one of two seconds', async () => {
    const alice = await world.user('alice');
    const { acquire } = world.startBroker();
    world.provider.control.setLifetime(2);
    const first = await acquire(alice);
    const seen = [first];
    await expect
      .poll(async () => {
        seen.push(await acquire(alice));
        return seen.at(-1);
      })
      .not.toMatchObject({ text: 'text' in first ? first.text : '' });
    for (const outcome of seen) expect(outcome).toHaveProperty('text');
    expect(exchanges()).toBe(2);
  });
});

describe('applications', () => {
  it('get a token of the gateway’s own application where the server allows it', async () => {
    const job = await world.application();
    const { acquire } = world.startBroker();
    expect(await acquire(job)).toMatchObject({
      source: 'exchange',
      claims: { idtyp: 'app', aud: APPLICATION_IDS.trackerApi, azp: APPLICATION_IDS.gatewayTracker },
    });
    expect(await acquire(job)).toMatchObject({ source: 'cache' });
    expect(world.provider.control.counters().client_credentials.issued).toBe(2);
  });

  it('are refused where the server needs a user, without asking the provider', async () => {
    const job = await world.application();
    world.provider.control.resetCounters();
    expect(await world.startBroker().acquire(job, trackerServer({ appOnly: 'refuse' }))).toMatchObject({
      reason: 'app_only_refused',
    });
    expect(world.provider.control.counters().client_credentials.requests + exchanges()).toBe(0);
  });

  it('are refused by the provider too, should a user’s exchange be tried with an app-only token', async () => {
    const job = await world.application();
    const disguised = { ...job, identity: { ...job.identity, kind: 'user' as const } };
    expect(await world.startBroker().acquire(disguised)).toMatchObject({ reason: 'app_only_refused' });
  });

  it('stand in for users under client-credentials', async () => {
    const server = trackerServer({ mode: 'client-credentials' });
    expect(await world.startBroker().acquire(await world.user('alice'), server)).toMatchObject({
      claims: { idtyp: 'app', azp: APPLICATION_IDS.gatewayTracker },
    });
  });
});

describe('servers without a token', () => {
  it('get none, and nobody is asked', async () => {
    const server = trackerServer({ mode: 'none', scopes: [] });
    expect(await world.startBroker().acquire(await world.user('alice'), server)).toMatchObject({
      source: 'none',
      claims: null,
    });
    expect(exchanges()).toBe(0);
  });
});

const CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}';

const FAULTS: readonly (readonly [FaultOrder, string])[] = [
  ...[50076, 50079, 50074, 50078, 50158, 50097, 53000, 53001, 53002].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'step_up_required'] as const,
  ),
  ...[53003, 530035, 50105, 53011].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'access_blocked'] as const,
  ),
  ...[65001, 65004, 650052, 650056, 650057, 500011].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'consent_required'] as const,
  ),
  ...[50013, 500133, 70008, 700082, 70043, 700084].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'assertion_rejected'] as const,
  ),
  ...[500131, 900144, 650053].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'exchange_misconfigured'] as const,
  ),
  ...[50173, 50057, 50132, 50133, 50014, 50034, 16003].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'session_revoked'] as const,
  ),
  ...[7000215, 7000222, 700027, 70002, 50012, 700016, 700011, 700030].map(
    (code) => [{ kind: 'refusal', code } as FaultOrder, 'exchange_credential_refused'] as const,
  ),
  [{ kind: 'refusal', code: 7000114 }, 'app_only_refused'],
  [{ kind: 'refusal', code: 50196 }, 'provider_throttled'],
  ...[50033, 90033].map((code) => [{ kind: 'refusal', code } as FaultOrder, 'provider_unavailable'] as const),
  [{ kind: 'throttled', retryAfterSeconds: 9 }, 'provider_throttled'],
  [{ kind: 'server_error', retryAfterSeconds: 3 }, 'provider_unavailable'],
  [{ kind: 'server_error' }, 'provider_unavailable'],
  [{ kind: 'non_json' }, 'provider_unavailable'],
  [{ kind: 'truncated' }, 'provider_unavailable'],
  [{ kind: 'timeout', delayMs: 5_000 }, 'provider_unavailable'],
];

describe('the error map', () => {
  it.each(FAULTS)(
    'answers %j with %s, after one request, and leaves other users alone',
    async (order, reason) => {
      const [alice, bob] = [await world.user('alice'), await world.user('bob')];
      world.provider.control.faults.add({ ...order, user: 'alice' });
      const { acquire, log } = world.startBroker({ timeoutMs: 400 });
      const denied = await acquire(alice);
      expect(denied).toMatchObject({ reason });
      expect(exchanges()).toBe(1);
      expect(await acquire(alice)).toMatchObject({ reason });
      expect(exchanges()).toBe(1);
      expect(log.join('') + JSON.stringify(denied)).not.toMatch(/eyJ|AADSTS|demo-secret|alice@/);
      const isOwnConsent = 'code' in order && [65001, 65004].includes(order.code ?? 0);
      const isShared =
        (reason === 'consent_required' && !isOwnConsent) || reason === 'exchange_credential_refused';
      expect(await acquire(bob)).toMatchObject(isShared ? { reason } : { source: 'exchange' });
    },
  );

  it('passes on how long to wait', async () => {
    world.provider.control.faults.add({ grant: 'on_behalf_of', kind: 'throttled', retryAfterSeconds: 9 });
    const outcome = await world.startBroker().acquire(await world.user('alice'));
    if (!('publicFacts' in outcome)) throw new Error('was not refused');
    expect(outcome.publicFacts).toEqual({
      retryAfterSeconds: expect.toSatisfy((value) => value >= 9 && value <= 11),
    });
  });

  it('passes a claims challenge to a client that can answer one, and its new token gets through', async () => {
    const capabilities = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';
    const alice = await world.user('alice', { claims: capabilities });
    world.provider.control.faults.add({ kind: 'interaction_required', claims: CLAIMS, times: 1 });
    const { acquire } = world.startBroker();
    expect(await acquire(alice)).toMatchObject({
      reason: 'step_up_required',
      publicFacts: { claims: Buffer.from(CLAIMS).toString('base64') },
    });
    expect(await acquire(await world.user('alice', { claims: CLAIMS }))).toMatchObject({
      source: 'exchange',
    });
  });

  it('names the provider’s trace in the log and not its description', async () => {
    world.provider.control.faults.add({ grant: 'on_behalf_of', kind: 'blocked' });
    const { acquire, log } = world.startBroker();
    expect(await acquire(await world.user('alice'))).toMatchObject({
      publicFacts: {},
      logFacts: { codes: [53003], traceId: expect.any(String), correlationId: expect.any(String) },
    });
    expect(log.join('')).toMatch(/"traceId":"[0-9a-f-]{36}"/);
    expect(log.join('')).not.toContain('Conditional Access');
  });
});

describe('what the provider checks by itself', () => {
  it('refuses the wrong application for the audience as a fault of ours', async () => {
    const wrong = { clientId: APPLICATION_IDS.gatewayReports, secretName: 'gateway-reports' };
    expect(
      await world.startBroker().acquire(await world.user('alice'), trackerServer({}, wrong)),
    ).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { codes: [500131] },
    });
  });

  it('refuses a resource nobody consented to', async () => {
    const server = trackerServer({ scopes: ['api://reports/.default'] });
    expect(await world.startBroker().acquire(await world.user('alice'), server)).toMatchObject({
      reason: 'consent_required',
    });
  });

  it('refuses a user who was disabled after the token was issued', async () => {
    const alice = await world.user('alice');
    world.provider.control.world.setEnabled('alice', false);
    expect(await world.startBroker().acquire(alice)).toMatchObject({ reason: 'session_revoked' });
  });

  it('refuses a session that was ended, and takes a new sign-in', async () => {
    const alice = await world.user('alice');
    world.provider.control.world.revokeSessions('alice', alice.identity.issuedAt + 1);
    const { acquire } = world.startBroker();
    expect(await acquire(alice)).toMatchObject({ reason: 'session_revoked' });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await acquire(await world.user('alice'))).toMatchObject({ source: 'exchange' });
  });

  it('refuses an assertion that has expired', async () => {
    const alice = await world.user('alice', { lifetimeSeconds: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await world.startBroker().acquire(alice)).toMatchObject({ reason: 'assertion_rejected' });
  });

  it('takes old assertions through a key rotation, until the old key is retired', async () => {
    const alice = await world.user('alice');
    await world.provider.control.keys.rotate({ retireOld: false });
    expect(await world.startBroker().acquire(alice)).toMatchObject({ source: 'exchange' });
    await world.provider.control.keys.rotate({ retireOld: true });
    expect(await world.startBroker().acquire(alice)).toMatchObject({ reason: 'assertion_rejected' });
  });
});

describe('the gateway’s own secret', () => {
  it('is picked up when it is rotated, once the breaker has closed, without a restart', async () => {
    const alice = await world.user('alice');
    const application = { clientId: APPLICATION_IDS.gatewayTracker, secretName: 'rotating' };
    const file = join(world.secretsDirectory, 'rotating');
    const server = trackerServer({}, application);
    await writeFile(file, 'wrong', { mode: 0o600 });
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({
      reason: 'exchange_credential_refused',
    });
    await writeFile(file, 'gateway-tracker-demo-secret\n');
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({ source: 'exchange' });
  });

  it('is not used from a file that others may read, and works at once when that is mended', async () => {
    const alice = await world.user('alice');
    const application = { clientId: APPLICATION_IDS.gatewayTracker, secretName: 'open' };
    const file = join(world.secretsDirectory, 'open');
    await writeFile(file, 'gateway-tracker-demo-secret');
    await chmod(file, 0o644);
    const { acquire } = world.startBroker();
    expect(await acquire(alice, trackerServer({}, application))).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { fault: 'readable_by_others' },
    });
    expect(exchanges()).toBe(0);
    await chmod(file, 0o600);
    expect(await acquire(alice, trackerServer({}, application))).toMatchObject({ source: 'exchange' });
  });
});

describe('waiting', () => {
  it('ends at the caller’s deadline, while the exchange goes on and serves the next call', async () => {
    const alice = await world.user('alice');
    world.provider.control.faults.add({ kind: 'timeout', delayMs: 600, times: 1 });
    const { acquire } = world.startBroker();
    const patient = acquire(alice);
    const impatient = acquire(alice, trackerServer(), AbortSignal.timeout(100));
    expect(await impatient).toMatchObject({ reason: 'deadline_exceeded' });
    expect(await patient).toMatchObject({ source: 'exchange' });
    expect(await acquire(alice)).toMatchObject({ source: 'cache' });
    expect(exchanges()).toBe(1);
  });

  it('ends by itself with a provider that never answers', async () => {
    world.provider.control.faults.add({ grant: 'on_behalf_of', kind: 'timeout', delayMs: 20_000 });
    const startedAt = Date.now();
    expect(await world.startBroker({ timeoutMs: 300 }).acquire(await world.user('alice'))).toMatchObject({
      reason: 'provider_unavailable',
    });
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });
});

describe('the way to the provider', () => {
  it('is refused where the operator does not allow it, which is a fault of configuration', async () => {
    const { acquire } = world.startBroker({ allowPrivate: false });
    expect(await acquire(await world.user('alice'))).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { provider: 'egress-refused' },
    });
    expect(exchanges()).toBe(0);
  });

  it('may be down: callers are told to wait, and the log says what failed', async () => {
    const gone = await startTokenWorld();
    const alice = await gone.user('alice');
    await gone.stop();
    await mkdir(gone.secretsDirectory);
    await writeFile(join(gone.secretsDirectory, 'gateway-tracker'), 'any', { mode: 0o600 });
    expect(await gone.startBroker().acquire(alice)).toMatchObject({
      reason: 'provider_unavailable',
      publicFacts: { retryAfterSeconds: 2 },
      logFacts: { provider: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') },
    });
    await rm(gone.secretsDirectory, { recursive: true });
  });
});

describe('what leaves the gateway', () => {
  it('is one POST to the issuer’s token endpoint, and the assertion of an application is not in it', async () => {
    const seen: { method: string | undefined; url: string | undefined; body: string }[] = [];
    const spy = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        seen.push({ method: request.method, url: request.url, body });
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_scope"}');
      });
    });
    await new Promise<void>((resolve) => spy.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(spy.address() as AddressInfo).port}`;
    const job = await world.application();
    const { broker } = world.startBroker();
    const result = await broker.acquire({
      tenant: {
        id: 'default',
        issuers: [{ id: 'contoso', kind: 'entra', tokenEndpoint: `${origin}/{tenantid}/oauth2/v2.0/token` }],
      } as never,
      server: trackerServer(),
      ...job,
      nowSeconds: job.identity.issuedAt,
      signal: AbortSignal.timeout(5_000),
    });
    spy.close();
    expect(result).toMatchObject({ error: { reason: 'exchange_misconfigured' } });
    expect(seen).toMatchObject([{ method: 'POST', url: `/${CONTOSO_TID}/oauth2/v2.0/token` }]);
    expect(new URLSearchParams(seen[0]?.body).get('scope')).toContain('api://tracker/.default');
    expect(seen[0]?.body).not.toContain(job.assertion.reveal());
  });

  it('shows no token or secret in logs, metrics or refusals, even when everything fails', async () => {
    const alice = await world.user('alice');
    const { acquire, log, metricsText } = world.startBroker({ timeoutMs: 300 });
    const outcomes = [];
    for (const kind of ['non_json', 'truncated', 'timeout', 'blocked', 'invalid_client'] as const) {
      world.provider.control.faults.add({ grant: 'on_behalf_of', kind, times: 1 });
      outcomes.push(await acquire(await world.user('alice')));
    }
    const text = log.join('') + JSON.stringify(outcomes) + (await metricsText());
    expect(text).not.toContain(alice.assertion.reveal().slice(0, 20));
    expect(text).not.toMatch(/eyJ|demo-secret|demo-password|alice/);
    expect(text).toContain('mcpgw_token_exchanges_total{mode="obo",outcome="access_blocked"');
  });
});

// Token exchange (RFC 8693) and client credentials at a provider of another author, over HTTP and through the egress guard:
// client authentication, resource indicators and signatures are that author's.

import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import {
  APPLICATIONS,
  exchangingServer,
  GATEWAY,
  type OidcTokenWorld,
  REPORTS,
  startOidcTokenWorld,
  TRACKER,
} from '#test/support/oidc-token-world.ts';
import type { Caller } from '#test/support/test-broker.ts';

let world: OidcTokenWorld;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  world = await startOidcTokenWorld();
  alice = await world.user('alice');
  bob = await world.user('bob');
});
afterAll(() => world.stop());
beforeEach(() => {
  world.provider.intercept = undefined;
  world.provider.requests.length = 0;
});

const asked = (): number => world.provider.requests.filter((path) => path === '/token').length;

/** Lets the token endpoint say something else than it would. */
const answerWith = (status: number, body: object, headers: Record<string, string> = {}): void => {
  world.provider.intercept = (request: IncomingMessage, response) => {
    if (request.url !== '/token') return undefined;
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    return true;
  };
};

/** A true answer, to be changed. */
const exchangedToken = async (): Promise<string> => {
  const outcome = await world.startBroker().acquire(alice);
  if (!('text' in outcome)) throw new Error(`no token: ${outcome.reason}`);
  return outcome.text;
};

const ISSUED = {
  token_type: 'Bearer',
  expires_in: 600,
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
};

describe('token exchange', () => {
  it('trades a user’s token for one of the server’s own resource, same user, once', async () => {
    const { acquire } = world.startBroker();
    expect(await acquire(alice)).toMatchObject({
      source: 'exchange',
      claims: {
        iss: world.provider.issuer,
        aud: TRACKER,
        sub: 'alice',
        scope: 'issues.read',
        client_id: 'gateway-basic',
      },
    });
    expect(await acquire(alice)).toMatchObject({ source: 'cache' });
    expect(await acquire(bob)).toMatchObject({ source: 'exchange', claims: { sub: 'bob' } });
    expect(asked()).toBe(2);
  });

  it.each(Object.keys(APPLICATIONS) as (keyof typeof APPLICATIONS)[])(
    'authenticates by %s as the provider has it registered',
    async (how) => {
      const server = exchangingServer({}, APPLICATIONS[how]);
      const { acquire, log } = world.startBroker();
      expect(await acquire(alice, server)).toMatchObject({
        source: 'exchange',
        claims: { client_id: `gateway-${how}`, aud: TRACKER },
      });
      expect(await acquire(await world.application(), server)).toMatchObject({
        source: 'exchange',
        claims: { sub: `gateway-${how}`, aud: TRACKER, scope: 'issues.read' },
      });
      expect(log.join('')).not.toMatch(/eyJ|p~ss|PRIVATE/);
    },
  );

  it('addresses its assertions as the provider wants them', async () => {
    const server = exchangingServer({}, APPLICATIONS.rsa);
    for (const assertionAudience of ['issuer', 'token-endpoint'] as const) {
      const issuer = { tokenRequests: { nameResourceBy: ['resource'] as const, assertionAudience } };
      let audience: unknown;
      world.provider.intercept = (request) => {
        void readForm(request).then((form) => {
          audience = decodeJwt(form.get('client_assertion') ?? '').aud;
        });
        return undefined;
      };
      expect(await world.startBroker({ issuer }).acquire(alice, server)).toMatchObject({
        source: 'exchange',
      });
      const { issuer: iss, tokenEndpoint } = world.provider;
      expect(audience).toBe(assertionAudience === 'issuer' ? iss : tokenEndpoint);
    }
  });

  it('names the resource by the parameters the issuer wants, and as more than one asks for the same', async () => {
    for (const nameResourceBy of [['audience'], ['resource', 'audience']] as const) {
      const issuer = { tokenRequests: { nameResourceBy, assertionAudience: 'issuer' } as const };
      expect(await world.startBroker({ issuer }).acquire(alice)).toMatchObject({ claims: { aud: TRACKER } });
    }
  });

  it('sends the gateway’s own token as the actor’s, once for many callers, and the provider writes who acts', async () => {
    const server = exchangingServer({ actor: 'application' });
    const { acquire } = world.startBroker();
    const act = { sub: 'gateway-basic' };
    const [first, second] = await Promise.all([acquire(alice, server), acquire(bob, server)]);
    expect(first).toMatchObject({ claims: { sub: 'alice', act } });
    expect(second).toMatchObject({ claims: { sub: 'bob', act } });
    expect(asked()).toBe(3);
    expect(await acquire(alice)).toMatchObject({ source: 'exchange', claims: { sub: 'alice' } });
    expect(await acquire(alice)).not.toMatchObject({ claims: { act } });
  });

  it('asks for no more than the scopes bound to the server', async () => {
    const { acquire } = world.startBroker();
    expect(await acquire(alice, exchangingServer({ scopes: ['issues.read', 'issues.write'] }))).toMatchObject(
      { claims: { scope: 'issues.read issues.write' } },
    );
    expect(await acquire(alice, exchangingServer({ scopes: [] }))).toMatchObject({
      claims: { scope: 'issues.read issues.write' },
    });
    expect(await acquire(alice)).toMatchObject({ claims: { scope: 'issues.read' } });
  });

  it('gives applications the gateway’s own token where the server allows it, and asks nobody where not', async () => {
    const job = await world.application();
    world.provider.requests.length = 0;
    const { acquire } = world.startBroker();
    expect(await acquire(job, exchangingServer({ appOnly: 'refuse' }))).toMatchObject({
      reason: 'app_only_refused',
    });
    expect(asked()).toBe(0);
    expect(await acquire(job)).toMatchObject({ claims: { sub: 'gateway-basic', aud: TRACKER } });
  });

  it('reaches no provider that the egress rules forbid', async () => {
    const outcome = await world.startBroker({ allowPrivate: false }).acquire(alice);
    expect(outcome).toMatchObject({ reason: expect.stringMatching(/exchange_misconfigured/) });
    expect(asked()).toBe(0);
  });
});

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => request.once('end', resolve));
  return new URLSearchParams(Buffer.concat(chunks).toString());
};

describe('client credentials', () => {
  const server = exchangingServer({ mode: 'client-credentials' });

  it('stand in for users and applications alike, by one token', async () => {
    const { acquire } = world.startBroker();
    expect(await acquire(alice, server)).toMatchObject({
      source: 'exchange',
      claims: { sub: 'gateway-basic', aud: TRACKER, scope: 'issues.read' },
    });
    expect(await acquire(bob, server)).toMatchObject({ source: 'cache' });
    expect(asked()).toBe(1);
  });

  it('never send the caller’s token', async () => {
    let sent = '';
    world.provider.intercept = (request) => {
      void readForm(request).then((form) => {
        sent = form.toString();
      });
      return undefined;
    };
    await world.startBroker().acquire(alice, server);
    expect(sent).toContain('grant_type=client_credentials');
    expect(sent).not.toContain(alice.assertion.reveal());
  });
});

describe('a token that was not asked for', () => {
  it.each([
    ['scopes', { scope: 'issues.read issues.write' }],
    ['token-type', { issued_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['token-type', { issued_token_type: undefined }],
  ])('is not used: %s', async (detail, parts) => {
    answerWith(200, { ...ISSUED, access_token: await exchangedToken(), ...parts });
    const { acquire, log } = world.startBroker();
    expect(await acquire(alice)).toMatchObject({
      reason: 'upstream_token_unfit',
      publicFacts: {},
      logFacts: { provider: 'unfit', detail },
    });
    expect(log.join('')).toContain('"level":"error"');
    expect(log.join('')).not.toContain('eyJ');
  });

  it('is not used if it is for another resource, whatever the exchange was', async () => {
    const client = { clientId: 'nightly', clientSecret: 'nightly-secret' };
    const other = await world.provider.clientToken({ ...client, resource: REPORTS });
    answerWith(200, { ...ISSUED, access_token: other });
    for (const mode of ['token-exchange', 'client-credentials'] as const) {
      expect(await world.startBroker().acquire(alice, exchangingServer({ mode }))).toMatchObject({
        reason: 'upstream_token_unfit',
        logFacts: { detail: 'audience' },
      });
    }
  });

  it('is not used if it is the caller’s own', async () => {
    answerWith(200, { ...ISSUED, access_token: alice.assertion.reveal() });
    expect(await world.startBroker().acquire(alice)).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { provider: 'echoed' },
    });
  });

  it('may be opaque: what only its resource can read is for its resource to judge', async () => {
    answerWith(200, { ...ISSUED, access_token: 'opaque-text' });
    expect(await world.startBroker().acquire(alice)).toMatchObject({
      source: 'exchange',
      text: 'opaque-text',
    });
  });

  it('goes by the audience that the server names, where that is not the resource', async () => {
    const server = exchangingServer({ tokenAudience: 'tracker-id' });
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({
      reason: 'upstream_token_unfit',
      logFacts: { detail: 'audience' },
    });
  });
});

describe('what the provider refuses', () => {
  it('a target the application has no right to is a fault of what was set up', async () => {
    const server = exchangingServer({ resource: REPORTS, scopes: ['reports.read'] });
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { error: 'invalid_target' },
    });
  });

  it('a scope that the resource does not have is one too', async () => {
    const server = exchangingServer({ scopes: ['issues.delete'] });
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { error: 'invalid_scope' },
    });
  });

  it('a token that it takes no more is the caller’s to renew', async () => {
    const [header, payload, signature = ''] = alice.assertion.reveal().split('.');
    const broken = new Secret(`${header}.${payload}.${signature.split('').reverse().join('')}`);
    expect(await world.startBroker().acquire({ ...alice, assertion: broken })).toMatchObject({
      reason: 'assertion_rejected',
      logFacts: { error: 'invalid_request', of: 'token-exchange' },
    });
  });

  it('a credential that is not right opens nothing, by any kind', async () => {
    await writeFile(join(world.secretsDirectory, 'wrong'), 'wrong', { mode: 0o600 });
    for (const application of [
      { clientId: 'gateway-rsa', credential: { ...APPLICATIONS.rsa.credential, name: 'ec' } },
      { clientId: 'gateway-basic', secretName: 'wrong' },
      { clientId: 'nobody', secretName: 'gateway' },
    ]) {
      expect(await world.startBroker().acquire(alice, exchangingServer({}, application))).toMatchObject({
        reason: 'exchange_credential_refused',
        logFacts: { error: 'invalid_client' },
      });
    }
  });

  it.each([
    [400, { error: 'invalid_grant' }, 'assertion_rejected'],
    [400, { error: 'invalid_request' }, 'assertion_rejected'],
    [400, { error: 'unauthorized_client' }, 'exchange_misconfigured'],
    [400, { error: 'unsupported_grant_type' }, 'exchange_misconfigured'],
    [400, { error: 'invalid_target' }, 'exchange_misconfigured'],
    [400, { error: 'invalid_scope' }, 'exchange_misconfigured'],
    [403, { error: 'access_denied' }, 'access_blocked'],
    [400, { error: 'interaction_required' }, 'step_up_required'],
    [400, { error: 'consent_required' }, 'consent_required'],
    [401, { error: 'invalid_client' }, 'exchange_credential_refused'],
    [429, { error: 'slow_down' }, 'provider_throttled'],
    [503, { error: 'temporarily_unavailable' }, 'provider_unavailable'],
    [500, {}, 'provider_unavailable'],
    [200, {}, 'provider_unavailable'],
  ])('%i %j becomes %s', async (status, body, reason) => {
    answerWith(status, { error_description: 'alice@example.com', ...body });
    const { acquire, log } = world.startBroker();
    const denied = await acquire(alice);
    expect(denied).toMatchObject({ reason });
    expect(log.join('') + JSON.stringify(denied)).not.toMatch(/alice@|eyJ/);
  });

  it('an application that may not exchange tokens at all is not tried again by the next caller', async () => {
    answerWith(400, { error: 'unauthorized_client' });
    const { acquire } = world.startBroker();
    await acquire(alice);
    expect(await acquire(bob)).toMatchObject({ reason: 'exchange_misconfigured' });
    expect(asked()).toBe(1);
  });

  it('an actor’s token that is not to be had is told as any other', async () => {
    const server = exchangingServer({ actor: 'application' }, { clientId: 'nobody', secretName: 'gateway' });
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({
      reason: 'exchange_credential_refused',
    });
    expect(asked()).toBe(1);
  });
});

it('a caller’s token is for the gateway, and stays there', async () => {
  expect(alice.identity.audience).toBe(GATEWAY);
  expect(await exchangedToken()).not.toBe(alice.assertion.reveal());
});

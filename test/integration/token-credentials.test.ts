// Applications at Entra that have no secret: a certificate's key, or a workload identity's assertion out of a file. The real
// MSAL and plain requests, over HTTP, at a provider that checks signature, audience, time and registration.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClientCredential } from '#core/client-credential.ts';
import { APPLICATION_IDS, APPLICATIONS, type DemoApplication } from '#demo/directory.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { startTokenWorld, type TokenWorld, trackerServer } from '#test/support/token-world.ts';

const authority = createTestAuthority();
const registered = authority.issue([], { key: 'rsa' });
const stranger = authority.issue([], { key: 'rsa' });

const WORKLOAD = {
  issuer: 'https://kubernetes.example',
  subject: 'system:serviceaccount:gateway:ext-authz',
  audience: 'api://AzureADTokenExchange',
};
const signer = await generateKeyPair('RS256', { extractable: true });

const workloadAssertion = (parts: { sub?: string; aud?: string; iss?: string; expiresIn?: number } = {}) =>
  new SignJWT({})
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(parts.iss ?? WORKLOAD.issuer)
    .setSubject(parts.sub ?? WORKLOAD.subject)
    .setAudience(parts.aud ?? WORKLOAD.audience)
    .setExpirationTime(Math.floor(Date.now() / 1000) + (parts.expiresIn ?? 600))
    .sign(signer.privateKey);

/** The gateway's application as an organisation registers it that allows no secrets. */
const withoutSecret = ({ secret: _, ...application }: DemoApplication, keys: object[]): DemoApplication => ({
  ...application,
  certificates: [registered.certificate],
  federatedCredentials: [{ ...WORKLOAD, keys }],
});

let world: TokenWorld;
beforeAll(async () => {
  const keys = [await exportJWK(signer.publicKey)];
  world = await startTokenWorld(
    APPLICATIONS.map((application) =>
      application.clientId === APPLICATION_IDS.gatewayTracker
        ? withoutSecret(application, keys)
        : application,
    ),
  );
});
afterAll(() => world.stop());
beforeEach(() => world.provider.control.resetCounters());

const write = (name: string, text: string) =>
  writeFile(join(world.secretsDirectory, name), text, { mode: 0o600 });

const writePair = async (name: string, pair: { certificate: string; key: string }): Promise<void> => {
  await write(`${name}.crt`, pair.certificate);
  await write(`${name}.key`, pair.key);
};

const serverWith = (credential: ClientCredential) =>
  trackerServer({}, { clientId: APPLICATION_IDS.gatewayTracker, credential });

const CERTIFICATE = { kind: 'certificate', name: 'gateway' } as const;
const FEDERATED = { kind: 'federated', name: 'workload' } as const;

const TOKEN = { aud: APPLICATION_IDS.trackerApi, azp: APPLICATION_IDS.gatewayTracker, azpacr: '2' };

describe('a certificate', () => {
  it('is what On-Behalf-Of and client credentials are asked with, and its key is in no request', async () => {
    await writePair('gateway', registered);
    const { acquire, log } = world.startBroker();
    const server = serverWith(CERTIFICATE);
    const alice = await world.user('alice');
    expect(await acquire(alice, server)).toMatchObject({
      source: 'exchange',
      claims: { ...TOKEN, oid: alice.identity.oid },
    });
    expect(await acquire(await world.application(), server)).toMatchObject({
      source: 'exchange',
      claims: { ...TOKEN, idtyp: 'app' },
    });
    expect(log.join('')).not.toMatch(/PRIVATE KEY|eyJ/);
  });

  it('signs with RS256 where that is asked for', async () => {
    await writePair('gateway', registered);
    const server = serverWith({ ...CERTIFICATE, algorithm: 'RS256' });
    expect(await world.startBroker().acquire(await world.user('bob'), server)).toMatchObject({
      source: 'exchange',
    });
  });

  it('that is not registered opens nothing; the one that replaces it does at once, without a restart', async () => {
    await writePair('renewed', stranger);
    const server = serverWith({ ...CERTIFICATE, name: 'renewed' });
    const alice = await world.user('alice');
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({
      reason: 'exchange_credential_refused',
      logFacts: { codes: [700027] },
    });
    await writePair('renewed', registered);
    expect(await world.startBroker().acquire(alice, server)).toMatchObject({ source: 'exchange' });
  });

  it.each([
    ['key_of_another_certificate', { certificate: registered.certificate, key: stranger.key }, {}],
    ['key_unreadable', { certificate: registered.certificate, key: 'no key' }, {}],
    ['certificate_unreadable', { certificate: 'no certificate', key: registered.key }, {}],
    ['algorithm_not_of_key', registered, { algorithm: 'ES256' }],
  ] as const)(
    'of which nothing can be made is told by %s, and nobody is asked',
    async (fault, pair, more) => {
      await writePair('broken', pair);
      const server = serverWith({ ...CERTIFICATE, name: 'broken', ...more });
      const alice = await world.user('alice');
      world.provider.control.resetCounters();
      const { acquire, log } = world.startBroker();
      expect(await acquire(alice, server)).toMatchObject({
        reason: 'exchange_misconfigured',
        logFacts: { secret: 'broken', fault },
      });
      expect(world.provider.control.counters().on_behalf_of.requests).toBe(0);
      expect(log.join('')).not.toMatch(/BEGIN|no key|no certificate/);
    },
  );
});

describe('a workload identity', () => {
  it('is what On-Behalf-Of and client credentials are asked with, as the file has it at each exchange', async () => {
    const server = serverWith(FEDERATED);
    const { acquire } = world.startBroker();
    await write('workload', await workloadAssertion());
    expect(await acquire(await world.user('alice'), server)).toMatchObject({
      source: 'exchange',
      claims: TOKEN,
    });
    await write('workload', `${await workloadAssertion()}\n`);
    expect(await acquire(await world.application(), server)).toMatchObject({
      source: 'exchange',
      claims: { ...TOKEN, idtyp: 'app' },
    });
  });

  it.each([
    ['of another workload', { sub: 'system:serviceaccount:other:pod' }, 700213],
    ['for another audience', { aud: 'https://kubernetes.example' }, 700212],
    ['of an issuer that is not registered', { iss: 'https://elsewhere.example' }, 700211],
    ['that nobody has renewed', { expiresIn: -60 }, 700024],
  ])('%s opens nothing', async (_what, parts, code) => {
    await write('workload', await workloadAssertion(parts));
    expect(await world.startBroker().acquire(await world.user('alice'), serverWith(FEDERATED))).toMatchObject(
      {
        reason: 'exchange_credential_refused',
        logFacts: { codes: [code] },
      },
    );
  });

  it('whose file holds something else is not sent', async () => {
    await write('workload', 'a password, perhaps');
    const { acquire, log } = world.startBroker();
    expect(await acquire(await world.user('alice'), serverWith(FEDERATED))).toMatchObject({
      reason: 'exchange_misconfigured',
      logFacts: { fault: 'not_an_assertion' },
    });
    expect(log.join('')).not.toContain('perhaps');
  });
});

it('an application without a secret takes none', async () => {
  await write('guess', 'gateway-tracker-demo-secret');
  const server = serverWith({ kind: 'secret', name: 'guess' });
  expect(await world.startBroker().acquire(await world.user('alice'), server)).toMatchObject({
    reason: 'exchange_credential_refused',
  });
});

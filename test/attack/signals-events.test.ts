// Who would end other people's sessions, or keep their own from being ended: forged, foreign, repeated and oversized Security
// Event Tokens against the receiver.

import { sign } from 'node:crypto';
import { connect } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refusalOf, type SignalWorld, SUBJECT, startSignalWorld } from '#test/support/signal-world.ts';
import { CAEP } from '#test/support/ssf-transmitter.ts';
import { createTestKey, publishKey } from '#test/support/token-issuer.ts';

const REVOKED = `${CAEP}/session-revoked`;

let world: SignalWorld;

beforeAll(async () => {
  world = await startSignalWorld();
});

afterAll(() => world?.stop());

beforeEach(() => {
  world.outcomes.length = 0;
});

const nowSeconds = () => Math.floor(Date.now() / 1_000);

const revoke = (claims: object = {}, header: object = {}) =>
  world.transmitter.sign(REVOKED, {}, { claims, header });

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A good payload under a header that no library would sign. */
const signRaw = async (header: object): Promise<string> => {
  const [, payload] = (await revoke()).split('.');
  const signed = `${segment(header)}.${payload}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), world.transmitter.key.privateKey).toString('base64url')}`;
};

/** Whatever is tried: nobody's session ended by it. */
const expectNothingEnded = async () => {
  for (const tenant of ['acme', 'beta']) expect(await world.marks(tenant), tenant).toEqual([]);
};

describe('a token that is not what it must be', () => {
  it.each<[string, () => Promise<string>, string]>([
    [
      'signed by a stranger under the name of the key',
      () => world.transmitter.sign(REVOKED, {}, { key: createTestKey('ssf-1') }),
      'invalid_key',
    ],
    [
      'signed by a key nobody knows',
      () => world.transmitter.sign(REVOKED, {}, { key: createTestKey('ssf-9') }),
      'invalid_key',
    ],
    [
      'without a signature',
      async () => {
        const [, payload] = (await revoke()).split('.');
        return `${segment({ alg: 'none', typ: 'secevent+jwt' })}.${payload}.`;
      },
      'invalid_key',
    ],
    [
      'signed with the public key as a shared secret',
      async () => {
        const [, payload = ''] = (await revoke()).split('.');
        const secret = world.transmitter.key.publicKey.export({ format: 'pem', type: 'spki' });
        return new SignJWT(JSON.parse(Buffer.from(payload, 'base64url').toString()))
          .setProtectedHeader({ alg: 'HS256', typ: 'secevent+jwt', kid: 'ssf-1' })
          .sign(Buffer.from(secret));
      },
      'invalid_key',
    ],
    ['by an algorithm that is not listed', () => revoke({}, { alg: 'PS256' }), 'invalid_key'],
    [
      'with a key of its own in the header',
      () =>
        world.transmitter.sign(
          REVOKED,
          {},
          { key: createTestKey('ssf-1'), header: { jwk: publishKey(createTestKey('x')) } },
        ),
      'invalid_key',
    ],
    [
      'with an extension that must be understood',
      () => signRaw({ alg: 'RS256', typ: 'secevent+jwt', kid: 'ssf-1', crit: ['exp'], exp: 1 }),
      'invalid_key',
    ],
    ['an access token', () => revoke({}, { typ: 'at+jwt' }), 'invalid_request'],
    ['a token of no type', () => revoke({}, { typ: undefined }), 'invalid_request'],
    ['of another transmitter', () => revoke({ iss: 'https://evil.example.com' }), 'invalid_issuer'],
    ['of the transmitter with a slash', () => revoke({ iss: 'https://ssf.example.com/' }), 'invalid_issuer'],
    ['for another receiver', () => revoke({ aud: 'https://other.example.com' }), 'invalid_audience'],
    ['for nobody', () => revoke({ aud: undefined }), 'invalid_audience'],
    ['from the future', () => revoke({ iat: nowSeconds() + 3_600 }), 'invalid_request'],
    ['from last month', () => revoke({ iat: nowSeconds() - 30 * 86_400 }), 'invalid_request'],
    ['of no time', () => revoke({ iat: undefined }), 'invalid_request'],
    ['that has ended', () => revoke({ exp: nowSeconds() - 3_600 }), 'invalid_request'],
    ['without a jti', () => revoke({ jti: undefined }), 'invalid_request'],
    ['with a jti without end', () => revoke({ jti: 'x'.repeat(513) }), 'invalid_request'],
    ['without events', () => revoke({ events: {} }), 'invalid_request'],
    ['whose events are a list', () => revoke({ events: [REVOKED] }), 'invalid_request'],
    ['whose event is a text', () => revoke({ events: { [REVOKED]: 'now' } }), 'invalid_request'],
    [
      'with thousands of events',
      () =>
        revoke({
          events: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`e:${n}`, {}])),
        }),
      'invalid_request',
    ],
    ['two tokens', async () => `${await revoke()}.${await revoke()}`, 'invalid_request'],
    ['none', async () => '', 'invalid_request'],
    ['JSON', async () => JSON.stringify({ token: await revoke() }), 'invalid_request'],
  ])('is refused: %s', async (_title, make, code) => {
    expect(await refusalOf(await world.push(await make()))).toEqual([400, code]);
    await expectNothingEnded();
  });

  it('is refused once a signature is changed anywhere', async () => {
    const token = await revoke();
    const at = token.lastIndexOf('.') + 40;
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
    expect(await refusalOf(await world.push(changed))).toEqual([400, 'invalid_key']);
    await expectNothingEnded();
  });

  it('is told apart in the answer by nothing that was sent', async () => {
    const answer = await world.push(await revoke({ iss: 'https://evil.example.com/<script>' }));
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.text()).not.toContain('evil');
    expect(world.registry.logLines.join('')).not.toContain('evil');
  });
});

describe('an address', () => {
  it('of another tenant takes no token that is meant for the first', async () => {
    const answer = await world.push(await revoke(), { tenant: 'beta' });
    expect(await refusalOf(answer)).toEqual([400, 'invalid_audience']);
    await expectNothingEnded();
  });

  it.each<[string, object]>([
    ['an issuer without signals', { issuer: 'quiet' }],
    ['an issuer with the other channel', { issuer: 'entra' }],
    ['an issuer nobody has', { issuer: 'nobody' }],
    ['a tenant nobody has', { tenant: 'nobody' }],
    ['a way around', { tenant: 'acme%2fissuers', issuer: 'home' }],
    ['a name without end', { tenant: 'a'.repeat(5_000) }],
    ['another door', { path: 'revocations' }],
  ])('of %s is none', async (_title, options) => {
    const answer = await world.push(await revoke(), options);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe('');
    await expectNothingEnded();
  });

  it('of an issuer that was switched off is none', async () => {
    const path = '/v1/tenants/beta/issuers/home';
    const { etag } = await world.registry.call('GET', path);
    const body = { enabled: false };
    await world.registry.call('PATCH', path, { body, headers: { 'if-match': etag } });
    expect((await world.push(await revoke(), { tenant: 'beta' })).status).toBe(404);
  });
});

describe('a body', () => {
  it('that is too long is not read', async () => {
    const answer = await world.push('x'.repeat(200_000));
    expect(answer.status).toBe(413);
  });

  it.each(['application/json', 'application/jwt', 'text/plain', 'application/secevent+jwtx'])(
    'of type %s is not taken',
    async (type) => {
      const answer = await world.push(await revoke(), { headers: { 'content-type': type } });
      expect(answer.status).toBe(415);
      await expectNothingEnded();
    },
  );

  it('that trickles in holds its socket for seconds only, and keeps nobody else waiting', async () => {
    const { hostname, port } = new URL(world.url());
    const socket = connect(Number(port), hostname);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();
    socket.write(
      'POST /v1/signals/acme/home/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/secevent+jwt\r\ncontent-length: 100\r\n\r\nx',
    );
    expect((await world.push('x')).status).toBe(400);
    await closed;
    await expectNothingEnded();
  }, 30_000);
});

describe('floods', () => {
  it('of unknown keys cost the transmitter one request', async () => {
    // Its keys are known by now; a rotation would be looked for once.
    await world.push(await world.transmitter.sign('https://e.example/known', {}));
    const hits = world.transmitter.keyServer.hits;
    const stranger = createTestKey('x');
    const tokens = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        world.transmitter.sign(REVOKED, {}, { key: { ...stranger, kid: `kid-${n}` } }),
      ),
    );
    for (const token of tokens)
      expect(await refusalOf(await world.push(token))).toEqual([400, 'invalid_key']);
    expect(world.transmitter.keyServer.hits - hits).toBeLessThanOrEqual(1);
  });

  it('of refusals fill no log', async () => {
    const before = world.registry.logLines.length;
    await Promise.all(Array.from({ length: 200 }, () => world.push('x')));
    expect(world.registry.logLines.length - before).toBeLessThan(60);
  });
});

describe('a token that is replayed', () => {
  it('after a restart does nothing, because what was seen is in the store', async () => {
    const claims = { sub_id: { ...SUBJECT, sub: 'replayed' } };
    const token = await world.transmitter.sign(REVOKED, {}, { claims });
    await world.push(token);
    expect(world.outcomes.at(-1)).toBe('shared-signals accepted');
    const [mark] = await world.marks();
    await world.restart();
    await world.push(token);
    expect(world.outcomes.at(-1)).toBe('shared-signals repeated');
    expect((await world.marks())[0]).toEqual(mark);
  });
});

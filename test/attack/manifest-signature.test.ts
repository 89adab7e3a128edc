// Signatures that are not what they seem (13, 34): each is refused by its own name and the parameter at fault, publishes
// nothing, and uses up nothing that could still be of use.

import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type ManifestBench,
  nowSeconds,
  OTHER,
  publisherOf,
  refusalOf,
  startManifestBench,
  TEAM,
} from '#test/support/manifest-bench.ts';
import {
  bytesOf,
  goodHeader,
  manifest2,
  type PublisherTestKey,
  publisherKey,
  signAs,
  withHeader,
} from '#test/support/manifest-world.ts';

const PUBLIC_AUDIENCE = 'https://registry.example.com';

let bench: ManifestBench;
let count = 0;

beforeAll(async () => {
  bench = await startManifestBench();
});
afterAll(() => bench.registry.stop());
beforeEach(() => bench.enter(`tenant-${++count}`));

const BYTES = bytesOf(manifest2());
const body = (bytes: Buffer = BYTES): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
const header = (changes: object = {}): object => ({
  ...goodHeader(TEAM.kid, bench.tenant, nowSeconds()),
  ...changes,
});
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const [P, SIGNATURE] = ['x-jws-signature', '/x-jws-signature'];

type Forgery = () => string | Promise<string>;

/** A MAC with the public key as its secret: what a verifier computes that lets the header choose the algorithm. */
const macForgery: Forgery = () => {
  const input = encode(header({ alg: 'HS256' }));
  const secret = JSON.stringify(TEAM.jwk);
  const mac = createHmac('sha256', secret).update(`${input}.`).update(BYTES).digest('base64url');
  return `${input}..${mac}`;
};

const FORGERIES: readonly (readonly [string, Forgery, number, string, string])[] = [
  ['an empty signature', () => `${encode(header())}..`, 400, 'signature-malformed', SIGNATURE],
  [
    'no signature but zeros',
    () => `${encode(header())}..${'A'.repeat(86)}`,
    401,
    'signature-invalid',
    SIGNATURE,
  ],
  ['one byte of a signature', () => `${encode(header())}..AA`, 401, 'signature-invalid', SIGNATURE],
  [
    'alg none',
    () => `${encode(header({ alg: 'none' }))}..AA`,
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/alg`,
  ],
  [
    'alg None',
    () => `${encode(header({ alg: 'None' }))}..AA`,
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/alg`,
  ],
  ['a MAC with the public key', macForgery, 400, 'signature-parameter-invalid', `${SIGNATURE}/alg`],
  [
    'a key of its own in the header',
    async () => {
      const own = publisherKey(TEAM.kid);
      return signAs(own, BYTES, header({ jwk: own.jwk }));
    },
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/jwk`,
  ],
  ...['jku', 'x5u', 'x5c', 'zip', 'nonce'].map(
    (name) =>
      [
        `a parameter ${name}`,
        () => signAs(TEAM, BYTES, header({ [name]: 'https://evil.example.com/' })),
        400,
        'signature-parameter-invalid',
        `${SIGNATURE}/${name}`,
      ] as const,
  ),
  [
    "another publisher's kid over its own key",
    () => signAs(OTHER, BYTES, header()),
    401,
    'signature-invalid',
    SIGNATURE,
  ],
  [
    'a kid in another case',
    () => signAs(TEAM, BYTES, header({ kid: 'TEAM-1' })),
    401,
    'signature-key-unknown',
    `${SIGNATURE}/kid`,
  ],
  [
    'a kid of the prototype',
    () => signAs(TEAM, BYTES, header({ kid: 'constructor' })),
    401,
    'signature-key-unknown',
    `${SIGNATURE}/kid`,
  ],
  [
    'the key of another server',
    () => signAs(OTHER, BYTES, header({ kid: OTHER.kid })),
    403,
    'manifest-publisher-not-bound',
    '/server',
  ],
  [
    'the signature of other bytes',
    () => signAs(TEAM, bytesOf(manifest2({ version: '9.0.0' })), header()),
    401,
    'signature-invalid',
    SIGNATURE,
  ],
  [
    'the header of another signature',
    async () => withHeader(await signAs(TEAM, BYTES, header()), header({ jti: 'another-one' })),
    401,
    'signature-invalid',
    SIGNATURE,
  ],
  [
    'a signature of the encoded bytes',
    async () => {
      const encoded = Buffer.from(BYTES.toString('base64url'));
      return withHeader(await signAs(TEAM, encoded, header()), header());
    },
    401,
    'signature-invalid',
    SIGNATURE,
  ],
  [
    'an audience that is a list',
    () => signAs(TEAM, BYTES, header({ aud: [`urn:mcpgw:tenant:${bench.tenant}`] })),
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/aud`,
  ],
  [
    'the audience of another tenant',
    () => signAs(TEAM, BYTES, header({ aud: 'urn:mcpgw:tenant:other' })),
    401,
    'signature-audience-mismatch',
    `${SIGNATURE}/aud`,
  ],
  [
    'another registry as audience',
    () => signAs(TEAM, BYTES, header({ aud: `${PUBLIC_AUDIENCE}/` })),
    401,
    'signature-audience-mismatch',
    `${SIGNATURE}/aud`,
  ],
  [
    'a time that is text',
    () => signAs(TEAM, BYTES, header({ iat: String(nowSeconds()) })),
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/iat`,
  ],
  [
    'a time in milliseconds',
    () => signAs(TEAM, BYTES, header({ iat: Date.now(), exp: Date.now() + 1 })),
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/iat`,
  ],
  [
    'an end a minute ago',
    () => signAs(TEAM, BYTES, header({ iat: nowSeconds() - 600, exp: nowSeconds() - 61 })),
    401,
    'signature-expired',
    `${SIGNATURE}/exp`,
  ],
  [
    'a jti with a space',
    () => signAs(TEAM, BYTES, header({ jti: 'eight or more' })),
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/jti`,
  ],
  [
    'a jti that is too short',
    () => signAs(TEAM, BYTES, header({ jti: '1234567' })),
    400,
    'signature-parameter-invalid',
    `${SIGNATURE}/jti`,
  ],
  [
    'more than eight kilobytes',
    () => signAs(TEAM, BYTES, header({ pad: 'a'.repeat(8_192) })),
    400,
    'signature-malformed',
    SIGNATURE,
  ],
  [
    'two signatures in one',
    async () => `${await signAs(TEAM, BYTES, header())}, ${await signAs(TEAM, BYTES, header())}`,
    400,
    'signature-malformed',
    SIGNATURE,
  ],
  [
    'a repeated parameter of the header',
    () => `${Buffer.from(`{"alg":"none",${JSON.stringify(header()).slice(1)}`).toString('base64url')}..AA`,
    400,
    'signature-malformed',
    SIGNATURE,
  ],
  [
    'a header with a byte-order mark',
    () => `${Buffer.from(`\ufeff${JSON.stringify(header())}`).toString('base64url')}..AA`,
    400,
    'signature-malformed',
    SIGNATURE,
  ],
];

describe('a manifest is refused with', () => {
  it.each(FORGERIES)('%s', async (_name, forge, status, code, pointer) => {
    const before = await bench.trace();
    const refused = refusalOf(await bench.send(body(), await forge()));
    expect(refused).toMatchObject({ status, code });
    expect(refused.pointers).toContain(pointer);
    expect(await bench.trace()).toEqual(before);
    // The honest publisher is not in the way of himself.
    expect((await bench.publish(manifest2())).status).toBe(201);
  });
});

const keyOf = (kid: string, alg: string): PublisherTestKey => {
  const pair = (): ReturnType<typeof generateKeyPairSync> | { privateKey: never; publicKey: never } => {
    if (alg === 'EdDSA') return generateKeyPairSync('ed25519') as never;
    if (!alg.startsWith('ES')) return generateKeyPairSync('rsa', { modulusLength: 2_048 }) as never;
    const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg] ?? '';
    return generateKeyPairSync('ec', { namedCurve }) as never;
  };
  const { privateKey, publicKey } = pair() as {
    privateKey: PublisherTestKey['privateKey'];
    publicKey: PublisherTestKey['privateKey'];
  };
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), alg } };
};

describe('the algorithm', () => {
  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'of a key is fixed when it is registered: %s and no other',
    async (alg) => {
      const key = keyOf('key-1', alg);
      expect((await bench.put('/publishers/team', publisherOf([key]))).status).toBe(200);
      const other = { RS: 'PS256', PS: 'RS256', ES: 'EdDSA', Ed: 'ES256' }[alg.slice(0, 2)] ?? '';
      const good = await bench.sign(BYTES, { key, header: { alg } });
      const wrong = withHeader(good, { ...header({ kid: key.kid, alg: other }) });
      expect(refusalOf(await bench.send(body(), wrong))).toEqual({
        status: 400,
        code: 'signature-parameter-invalid',
        pointers: [`${SIGNATURE}/alg`],
      });
      expect((await bench.send(body(), good)).status).toBe(201);
    },
  );

  it('is one that no public key can be taken for a secret of', async () => {
    const secret = { kid: 'key-1', jwk: { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' } };
    const refused = await bench.put('/publishers/team', { displayName: 'Team', keys: [secret], servers: [] });
    expect(refused.status).toBe(400);
    expect(refusalOf(refused).pointers).toEqual(
      expect.arrayContaining(['/keys/0/jwk/kty', '/keys/0/jwk/alg', '/keys/0/jwk/k']),
    );
  });
});

describe('what is refused for a reason that passes', () => {
  it('is accepted with the same signature once a host is allowed', async () => {
    const moved = bytesOf(manifest2({ endpoints: ['https://moved.example.com/mcp'] }));
    const signature = await bench.sign(moved);
    expect(refusalOf(await bench.send(body(moved), signature)).code).toBe('manifest-endpoint-not-allowed');
    const { body: current } = await bench.admin('GET', '/servers/tracker');
    const patch = { allowedHosts: [...(Object(current).allowedHosts as string[]), 'moved.example.com'] };
    await bench.admin('PATCH', '/servers/tracker', patch, { 'if-match': '*' });
    expect((await bench.send(body(moved), signature)).status).toBe(201);
  });

  it('is accepted with the same signature once the publisher is bound', async () => {
    await bench.put('/publishers/team', publisherOf([TEAM], []));
    const signature = await bench.sign(BYTES);
    expect(refusalOf(await bench.send(body(), signature)).code).toBe('manifest-publisher-not-bound');
    await bench.put('/publishers/team', publisherOf([TEAM]));
    expect((await bench.send(body(), signature)).status).toBe(201);
  });

  it('is accepted with the same signature once the key is registered', async () => {
    const next = publisherKey('team-2');
    const signature = await bench.sign(BYTES, { key: next });
    expect(refusalOf(await bench.send(body(), signature)).code).toBe('signature-key-unknown');
    await bench.put('/publishers/team', publisherOf([TEAM, next]));
    expect((await bench.send(body(), signature)).status).toBe(201);
  });
});

/** Order of the curve P-256 (SEC 2 §2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature that fits the same bytes and key: (r, n − s). */
const mirrored = (signature: string): string => {
  const [protectedPart, value = ''] = signature.split('..');
  const raw = Buffer.from(value, 'base64url');
  const s = ORDER - BigInt(`0x${raw.subarray(32).toString('hex')}`);
  const twin = Buffer.concat([raw.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
  return `${protectedPart}..${twin.toString('base64url')}`;
};

const REPLAYED = { status: 409, code: 'signature-replayed', pointers: [`/${P}/jti`] };

describe('a signature that was used', () => {
  it('is used up, also in the other form that fits its key', async () => {
    const signature = await bench.sign(BYTES);
    expect((await bench.send(body(), signature)).status).toBe(201);
    const before = await bench.trace();
    for (const again of [signature, mirrored(signature)])
      expect(refusalOf(await bench.send(body(), again))).toEqual(REPLAYED);
    expect(await bench.trace()).toEqual(before);
  });

  it('is good for one of two manifests that share its jti, whichever comes first', async () => {
    const jti = 'shared-by-two';
    const [first, second] = ['1.0.0', '1.1.0'].map((version) => bytesOf(manifest2({ version })));
    const sent = await Promise.all(
      [first, second].map(async (bytes = BYTES) =>
        bench.send(body(bytes), await bench.sign(bytes, { header: { jti } })),
      ),
    );
    expect(sent.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const lost = sent.find(({ status }) => status === 409);
    expect(lost && refusalOf(lost)).toEqual(REPLAYED);
    expect((await bench.trace()).published).toBe(1);
  });

  it('wins once, however many send it at once, and makes one revision', async () => {
    const { revision } = await bench.trace();
    const signature = await bench.sign(BYTES);
    const sent = await Promise.all(Array.from({ length: 8 }, () => bench.send(body(), signature)));
    expect(sent.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const lost of sent.filter(({ status }) => status !== 201)) expect(refusalOf(lost)).toEqual(REPLAYED);
    expect(await bench.trace()).toEqual({ revision: revision + 1, published: 1, versions: ['1.0.0'] });
  });

  it('does not count for another tenant that knows the key', async () => {
    const first = bench.tenant;
    const signature = await bench.sign(BYTES, { header: { aud: PUBLIC_AUDIENCE } });
    await bench.enter(`tenant-${++count}`);
    const second = bench.tenant;
    bench.tenant = first;
    expect((await bench.send(body(), signature)).status).toBe(201);
    bench.tenant = second;
    expect(refusalOf(await bench.send(body(), signature))).toEqual(REPLAYED);
    expect((await bench.trace()).published).toBe(0);
  });

  it("does not use up the jti of another's key", async () => {
    const jti = 'the-same-for-both';
    expect((await bench.publish(manifest2(), { header: { jti } })).status).toBe(201);
    const reports = manifest2({ server: 'reports', endpoints: ['https://reports.example.com/mcp'] });
    expect((await bench.publish(reports, { key: OTHER, header: { jti } })).status).toBe(201);
  });
});

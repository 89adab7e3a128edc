// Keys, manifests and signatures for tests: good ones, and whatever a test wants to be wrong with them.

import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { FlattenedSign, type JWK, type JWSHeaderParameters } from 'jose';

export type PublisherTestKey = { readonly kid: string; readonly privateKey: KeyObject; readonly jwk: object };

export const publisherKey = (kid: string): PublisherTestKey => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), alg: 'ES256' } };
};

export const privateJwk = ({ privateKey }: PublisherTestKey): JWK => ({
  ...(privateKey.export({ format: 'jwk' }) as JWK),
  alg: 'ES256',
});

export const tool = (name: string, changes: object = {}) => ({
  name,
  description: `Does what ${name} says.`,
  inputSchema: { type: 'object', properties: { id: { type: 'integer' } } },
  ...changes,
});

export const manifest2 = (changes: object = {}) => ({
  schemaVersion: '2',
  server: 'tracker',
  version: '1.0.0',
  endpoints: ['https://tracker.example.com/mcp'],
  protocolVersions: ['2025-11-25'],
  tools: [tool('list_issues', { requiredScopes: ['issues.read'] })],
  owner: { name: 'Tracker team' },
  ...changes,
});

export const manifest1 = (changes: object = {}) => {
  const { owner: _owner, ...rest } = manifest2();
  return {
    ...rest,
    schemaVersion: '1',
    scopes: ['issues.read'],
    tools: [tool('list_issues')],
    owner: 'Tracker team',
    ...changes,
  };
};

export const bytesOf = (manifest: unknown): Buffer =>
  Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));

/** A header as an honest publisher writes it, at `nowSeconds`. */
export const goodHeader = (kid: string, tenantId: string, nowSeconds: number) => ({
  alg: 'ES256',
  kid,
  typ: 'mcpgw-manifest+jws',
  b64: false,
  crit: ['b64'],
  iat: nowSeconds,
  exp: nowSeconds + 600,
  aud: `urn:mcpgw:tenant:${tenantId}`,
  jti: randomUUID(),
});

const withoutAbsent = (header: object): JWSHeaderParameters =>
  Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined));

/** Signs `bytes` under a header of any content; a member that is undefined is left out. */
export const signAs = async (key: PublisherTestKey, bytes: Uint8Array, header: object): Promise<string> => {
  const given = withoutAbsent(header);
  const signed = await new FlattenedSign(bytes).setProtectedHeader(given).sign(key.privateKey);
  return `${signed.protected}..${signed.signature}`;
};

/** The signature of another header put under this one: what a forger does without the key. */
export const withHeader = (signature: string, header: object): string =>
  `${Buffer.from(JSON.stringify(withoutAbsent(header))).toString('base64url')}..${signature.split('..')[1]}`;

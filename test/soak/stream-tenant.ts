// A tenant of the running product for streams: servers that hold them, an issuer of its own, a token that opens them.

import type { HttpVersion } from '#test/soak/stream-server.ts';
import type { Product } from '#test/support/product.ts';
import { createTestKey, publishKey, signWith, startKeyServer } from '#test/support/token-issuer.ts';

export const STREAM_TENANT = 'streams';

const ISSUER = 'https://idp.example/streams';
const TOKEN_SECONDS = 6 * 3_600;

export type StreamTenant = {
  /** Where streams are opened, and the token that opens them. */
  readonly doors: readonly { readonly url: string; readonly token: string }[];
  /** A change of the registry, in service with everybody when this resolves. */
  change(path: string, body: object): Promise<void>;
  /** Throws a kill switch of the whole tenant; resolves as soon as it is written. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

const CLAIMS = { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' };

export type Holding = {
  /** Streams that each server is to hold. */
  readonly perServer: number;
  /** HTTP of the servers. */
  readonly version: HttpVersion;
};

const serverOf = (endpoint: string, audience: string, { perServer, version }: Holding): object => ({
  displayName: 'streams',
  allowedHosts: [new URL(endpoint).host],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: [{ issuerId: 'idp', audiences: [audience], requiredScopes: [] }],
  // A stream is a call, and over HTTP/1.1 a connection, for as long as it lives: as an operator would have to set it.
  upstream: {
    circuitBreakers: { maxConnections: perServer * 2, maxRequests: perServer * 2 },
    connections: { protocol: version === '2' ? 'http2' : 'http1' },
  },
});

const versionOf = (endpoint: string): object => ({
  endpoints: [endpoint],
  protocolVersions: ['2025-06-18', '2025-11-25'],
  tools: [],
});

/**
 * Makes the tenant, with a server at each endpoint.
 */
export const bringStreamTenant = async (
  product: Product,
  endpoints: readonly string[],
  holding: Holding,
): Promise<StreamTenant> => {
  const key = createTestKey('streams-1');
  const keys = await startKeyServer([publishKey(key)]);
  const put = async (path: string, body: object, condition: Record<string, string>): Promise<void> => {
    const answer = await product.registry('PUT', `/v1/tenants/${STREAM_TENANT}${path}`, body, condition);
    if (answer.status >= 300) throw new Error(`PUT ${path}: ${JSON.stringify(answer.body)}`);
  };
  const create = (path: string, body: object) => put(path, body, { 'if-none-match': '*' });
  const change = (path: string, body: object) =>
    put(`${path}?wait=applied&waitSeconds=30`, body, { 'if-match': '*' });

  await create('', { displayName: 'Streams', accessContact: '', fourEyes: false });
  const issuer = { kind: 'oidc', issuer: ISSUER, jwksUri: keys.url, relation: 'home', claims: CLAIMS };
  await create('/issuers/idp', issuer);
  for (const [index, endpoint] of endpoints.entries()) {
    const id = `holder-${index}`;
    await create(`/servers/${id}`, serverOf(endpoint, id, holding));
    await create(`/servers/${id}/versions/1.0.0`, versionOf(endpoint));
    await change(`/servers/${id}/active-version`, { version: '1.0.0' });
    const subjects = [{ kind: 'group', id: 'all' }];
    await create(`/grants/${id}`, { serverId: id, subjects, tools: ['*'], prompts: [], resources: [] });
  }
  const now = Math.floor(Date.now() / 1_000);
  const times = { iat: now - 10, exp: now + TOKEN_SECONDS };
  const claims = { iss: ISSUER, sub: 'ada', azp: 'client', scope: 'use', groups: ['all'], ...times };
  const doorOf = async (_endpoint: string, index: number) => ({
    url: `${product.quickstart.gateway}/t/${STREAM_TENANT}/mcp/holder-${index}`,
    token: await signWith(key, { ...claims, aud: `holder-${index}` }),
  });
  return {
    doors: await Promise.all(endpoints.map(doorOf)),
    change,
    kill: () => put('/kill-switches/all', { target: { kind: 'tenant' } }, {}),
    stop: () => keys.stop(),
  };
};

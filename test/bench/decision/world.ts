// Tenants of many servers and many groups, and callers with real tokens: what a decision is measured over. Every caller is in
// five groups and calls one tool that one of them is granted.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import type { Grant } from '#core/grant.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { checkRequestBytes } from '#test/support/check-codec.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { AUDIENCE, oidcIssuer } from '#test/support/token-issuer.ts';

export const TOOLS_OF_A_SERVER = 20;
const GROUPS = 50;
const GROUPS_OF_A_CALLER = 5;
/** Tools a group may use on a server. */
const GRANTED_TOOLS = 2;
/** With a grant of each group for each of them a tenant has the 10,000 grants that it may have. */
const SERVERS_OF_A_TENANT = 200;
const KID = 'bench';
const TOKEN_LIFE_SECONDS = 24 * 3600;

const groupName = (index: number): string => `group-${index % GROUPS}`;
const toolName = (index: number): string => `tool_${index % TOOLS_OF_A_SERVER}`;

const grantOf = (serverId: string, group: number): Grant => ({
  id: `${serverId}-${groupName(group)}`,
  serverId,
  subjects: [{ kind: 'group', id: groupName(group) }],
  tools: Array.from({ length: GRANTED_TOOLS }, (_, index) => toolName(group * GRANTED_TOOLS + index)),
  prompts: [],
  resources: [],
});

const tenantOf = (id: string, servers: number, jwksUri: string): Tenant => {
  const base = largeTenant(id, { servers, tools: TOOLS_OF_A_SERVER });
  const issuer = oidcIssuer(jwksUri, { id: 'home', algorithms: ['ES256', 'RS256'] });
  const { oboApplication: _none, ...binding } = base.servers[0]?.bindings[0] ?? { requiredScopes: [] };
  const bindings = [{ ...binding, issuerId: 'home', audiences: [AUDIENCE] }];
  return {
    ...base,
    issuers: [issuer],
    servers: base.servers.map((server) => ({
      ...server,
      bindings,
      upstreamAuth: { mode: 'none' as const, scopes: [], appOnly: 'refuse' as const },
    })),
    grants: base.servers.flatMap((server) =>
      Array.from({ length: GROUPS }, (_, group) => grantOf(server.id, group)),
    ),
  };
};

const tenantsOf = (servers: number, jwksUri: string): readonly Tenant[] =>
  Array.from({ length: Math.ceil(servers / SERVERS_OF_A_TENANT) }, (_, index) =>
    tenantOf(
      `tenant-${index}`,
      Math.min(SERVERS_OF_A_TENANT, servers - index * SERVERS_OF_A_TENANT),
      jwksUri,
    ),
  );

type Key = { readonly privateKey: KeyObject; readonly jwk: object };

/** The key a world's tokens are signed with. */
export const createDecisionKey = (): Key => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = {
    ...createPublicKey(privateKey).export({ format: 'jwk' }),
    kid: KID,
    use: 'sig',
    alg: 'ES256',
  };
  return { privateKey, jwk };
};

const signFor = (key: KeyObject, caller: number, nowSeconds: number): Promise<string> => {
  const groups = Array.from({ length: GROUPS_OF_A_CALLER }, (_, index) => groupName(caller + index * 7));
  const claims = {
    iss: 'https://idp.example',
    aud: AUDIENCE,
    sub: `user-${caller}`,
    azp: 'client-1',
    scope: 'openid tools.use',
    groups,
    iat: nowSeconds - 60,
    exp: nowSeconds + TOKEN_LIFE_SECONDS,
  };
  return new SignJWT(claims as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: KID })
    .sign(key);
};

/** As long as a call with a short text usually is. */
const NOTE = 'The quick brown fox jumps over the lazy dog. '.repeat(14);

const bodyOf = (id: number, name: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: { field_0: `value ${id}`, field_1: NOTE.slice(0, 150), field_2: 'note' } },
    }),
  );

const headersOf = (token: string, path: string, id: number): Readonly<Record<string, string>> => ({
  ':authority': 'gateway.example',
  ':method': 'POST',
  ':path': path,
  ':scheme': 'https',
  accept: 'application/json, text/event-stream',
  'accept-encoding': 'gzip, deflate, br',
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  'mcp-protocol-version': '2025-11-25',
  'user-agent': 'mcp-client/1.0',
  'x-forwarded-for': '192.0.2.10',
  'x-forwarded-proto': 'https',
  'x-request-id': `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
});

type Place = { readonly tenant: string; readonly server: string };

/** What Envoy asks about one call of a caller. */
const messageOf = (token: string, caller: number, { tenant, server }: Place): Buffer => {
  const path = `/t/${tenant}/mcp/${server}`;
  const headers = headersOf(token, path, caller);
  return checkRequestBytes({
    attributes: {
      source: { address: { socket_address: { address: '192.0.2.10' } } },
      request: {
        http: {
          id: String(caller),
          method: 'POST',
          host: 'gateway.example',
          path,
          header_map: {
            headers: Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
          },
          raw_body: bodyOf(caller, toolName((caller % GROUPS) * GRANTED_TOOLS)),
        },
      },
      context_extensions: { tenant, server },
    },
  });
};

export type DecisionWorld = {
  readonly snapshot: Snapshot;
  token(caller: number): Promise<string>;
  /** What Envoy asks about a call of this caller, who is granted it: made anew, as a decoder would. */
  message(caller: number, token: string): Buffer;
};

/** @param jwksUri where the public key is served. */
export const createDecisionWorld = (
  key: Key,
  { servers, jwksUri }: { readonly servers: number; readonly jwksUri: string },
): DecisionWorld => {
  const tenants = tenantsOf(servers, jwksUri);
  const places = tenants.flatMap((tenant) =>
    tenant.servers.map((server): Place => ({ tenant: tenant.id, server: server.id })),
  );
  const nowSeconds = Math.floor(Date.now() / 1000);
  return {
    snapshot: { sequence: 1, tenants },
    token: (caller) => signFor(key.privateKey, caller, nowSeconds),
    message: (caller, token) => messageOf(token, caller, places[caller % places.length] as Place),
  };
};

// What benchmarks compare the product with: the OPA peer judges calls as the product does, and the load generator counts
// what was decided. A peer that allows what we refuse, or does less, would be no peer.

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, makeGenericClientConstructor, type requestCallback } from '@grpc/grpc-js';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import type { JsonObject } from '#core/json.ts';
import type { Tenant } from '#core/tenant.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response.ts';
import { loadService } from '#protos/service.ts';
import {
  loadChecks,
  loadRequests,
  type Peer,
  startNoop,
  startOpa,
  writeMessages,
  writeRequests,
} from '#test/bench/peers/peers.ts';
import { ALICE, grant, PRIORITY, question, SERVER, tenant, toolCall } from '#test/support/policy-world.ts';
import { oidcIssuer } from '#test/support/token-issuer.ts';

const ISSUER = 'https://idp.example';
const AUDIENCE = 'aud-tracker';
const NOW = Math.floor(Date.now() / 1000);

const WORLD: Tenant = {
  ...tenant([
    grant('engineering-tracker'),
    grant('bob-lists', { subjects: [{ kind: 'user', id: 'bob' }], tools: ['list_issues'] }),
    grant('robot-all', { subjects: [{ kind: 'application', id: 'robot' }], tools: ['*'] }),
    grant('others', { subjects: [{ kind: 'group', id: 'support', issuerId: 'fabrikam' }] }),
  ]),
  issuers: [oidcIssuer('https://idp.example/keys', { id: 'contoso', issuer: ISSUER, algorithms: ['ES256'] })],
};

type Claims = {
  sub: string;
  azp: string;
  groups: string[];
  roles: string[];
  scope: string;
  [name: string]: unknown;
};

const claims = (changes: Partial<Claims> = {}): Claims => ({
  ...{ iss: ISSUER, aud: AUDIENCE, iat: NOW - 10, exp: NOW + 600 },
  ...{ sub: 'alice', azp: 'cli', groups: ['engineering'], roles: [], scope: 'tools.use' },
  ...changes,
});

/** As ext-authz reads an issuer of kind `oidc`. */
const identityOf = ({ sub, azp, groups, roles, scope }: Claims): Identity => {
  const { tid: _tid, oid: _oid, ...base } = ALICE;
  const scopes = scope.split(' ').filter(Boolean);
  const kind = sub === azp ? 'app' : 'user';
  return { ...base, issuer: ISSUER, kind, subject: sub, app: azp, groups, roles, scopes };
};

const CALLERS: readonly Claims[] = [
  claims(),
  claims({ groups: ['on-call', 'engineering'] }),
  claims({ scope: '' }),
  claims({ sub: 'bob', groups: [] }),
  claims({ sub: 'robot', azp: 'robot', groups: [], scope: '' }),
  claims({ sub: 'mallory', groups: ['support'] }),
];

const CALLS: readonly (readonly [tool: string, callArguments: JsonObject])[] = [
  ['create_issue', { priority: 'low' }],
  ['create_issue', { priority: 'high' }],
  ['create_issue', {}],
  ['list_issues', {}],
  ['purge', {}],
  ['drop_database', {}],
];

const keys = { a: generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
const strangers = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const sign = (payload: object, options: { header?: object; key?: typeof strangers } = {}): Promise<string> =>
  new SignJWT({ ...payload })
    .setProtectedHeader({ alg: 'ES256', kid: 'a', ...options.header })
    .sign((options.key ?? keys.a).privateKey);

const message = (token: string, name: string, callArguments: JsonObject): object => ({
  attributes: {
    request: {
      http: {
        method: 'POST',
        path: '/mcp/tracker',
        header_map: {
          headers: [{ key: 'authorization', raw_value: Buffer.from(`Bearer ${token}`) }],
        },
        raw_body: Buffer.from(
          JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            method: 'tools/call',
            params: { name, arguments: callArguments },
          }),
        ),
      },
    },
    context_extensions: { tenant: 'default', server: 'tracker' },
  },
});

const engine = await createBundleSource(DEFAULT_BUNDLE).load();

/** What the product's policy says of a call. */
const isAllowed = (caller: Claims, [name, callArguments]: (typeof CALLS)[number]): boolean => {
  const server = { ...SERVER, constraints: [PRIORITY] };
  const call = toolCall(name, callArguments);
  const asked = question({ tenant: WORLD, server, identity: identityOf(caller), call });
  const input = buildPolicyInput(asked, { withArguments: false });
  if (!input.ok) throw new Error(input.error.reason);
  const answer = engine.evaluate(input.value);
  if (!answer.ok) throw new Error(answer.error.reason);
  return answer.value.allow;
};

let directory: string;
const peers: Peer[] = [];

const place = (name: string): string => join(directory, name);

type CheckClient = {
  Check(message: object, done: requestCallback<CheckResponseMessage>): void;
  close(): void;
};

const AUTHORIZATION = 'envoy.service.auth.v3.Authorization';
const Client = makeGenericClientConstructor(loadService(AUTHORIZATION), AUTHORIZATION);

const clientOf = (socket: string): CheckClient =>
  new Client(`unix:${place(socket)}`, credentials.createInsecure()) as unknown as CheckClient;

const verdict = (client: CheckClient, asked: object): Promise<'allowed' | 'denied'> =>
  new Promise((resolve, reject) => {
    client.Check(asked, (error, answer) =>
      answer === undefined ? reject(error) : resolve(answer.status.code === 0 ? 'allowed' : 'denied'),
    );
  });

const CHECKS_IN = [
  ['go', false],
  ['go', true],
  ['rego', false],
  ['rego', true],
] as const;

const socketOf = (tokenCheck: string, tokenCache: boolean): string =>
  `opa-${tokenCheck}-${tokenCache ? 'cached' : 'fresh'}`;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-peers-'));
  writeFileSync(place('tenant.json'), JSON.stringify(WORLD));
  const key = { ...keys.a.publicKey.export({ format: 'jwk' }), kid: 'a', use: 'sig', alg: 'ES256' };
  writeFileSync(place('keys.json'), JSON.stringify({ keys: [key] }));
  peers.push(await startNoop(`unix:${place('noop')}`));
  for (const [tokenCheck, tokenCache] of CHECKS_IN) {
    const files = { dataFile: place('tenant.json'), keysFile: place('keys.json') };
    const listen = `unix:${place(socketOf(tokenCheck, tokenCache))}`;
    peers.push(
      await startOpa({ listen, ...files, issuer: ISSUER, audience: AUDIENCE, tokenCheck, tokenCache }),
    );
  }
});

afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.stop()));
  rmSync(directory, { recursive: true, force: true });
});

describe.each(CHECKS_IN)('the OPA peer, token checked in %s, remembered: %s', (tokenCheck, tokenCache) => {
  let client: CheckClient;
  beforeAll(() => {
    client = clientOf(socketOf(tokenCheck, tokenCache));
  });
  afterAll(() => client.close());

  it('judges every call as the product does', async () => {
    const tokens = await Promise.all(CALLERS.map((caller) => sign(caller)));
    const ours: string[] = [];
    const theirs: string[] = [];
    for (const [index, caller] of CALLERS.entries())
      for (const call of CALLS) {
        const told = `${index} ${JSON.stringify(call)}`;
        ours.push(`${told} ${isAllowed(caller, call) ? 'allowed' : 'denied'}`);
        theirs.push(`${told} ${await verdict(client, message(tokens[index] ?? '', ...call))}`);
      }
    expect(theirs).toEqual(ours);
    expect(new Set(ours.map((line) => line.split(' ').at(-1)))).toEqual(new Set(['allowed', 'denied']));
  });

  it.each<[string, () => Promise<string>]>([
    ['signed with a key that is not the issuer’s', () => sign(claims(), { key: strangers })],
    ['of a key nobody knows', () => sign(claims(), { header: { kid: 'b' }, key: strangers })],
    ['of another issuer', () => sign(claims({ iss: 'https://other.example' }))],
    ['for somebody else', () => sign(claims({ aud: 'aud-other' }))],
    ['that is over', () => sign(claims({ iat: NOW - 900, exp: NOW - 300 }))],
    ['that is none', async () => 'x.y.z'],
  ])('refuses a token %s', async (_what, token) => {
    const [call = ['create_issue', {}] as const] = CALLS;
    expect(await verdict(client, message(await sign(claims()), ...call))).toBe('allowed');
    expect(await verdict(client, message(await token(), ...call))).toBe('denied');
  });
});

it('counts what a service decided, at full speed and at a rate', async () => {
  const tokens = await Promise.all(
    ['engineering', 'support'].map((group) => sign(claims({ groups: [group] }))),
  );
  writeMessages(
    place('two'),
    tokens.map((token) => message(token, 'create_issue', {})),
  );
  const many = { connections: 2, streams: 8, messagesFile: place('two') };
  const opa = await loadChecks({ ...many, target: `unix:${place(socketOf('go', true))}`, seconds: 0.5 });
  expect(opa.errors).toBe(0);
  expect(opa.sent).toBe(opa.allowed + opa.denied);
  expect(Math.abs(opa.allowed - opa.denied)).toBeLessThanOrEqual(1);
  const noop = await loadChecks({ ...many, target: `unix:${place('noop')}`, seconds: 0.5, rate: 200 });
  expect(noop).toMatchObject({ sent: 100, allowed: 100, denied: 0, errors: 0 });
  expect(noop.p50Us).toBeGreaterThan(0);
});

describe('load http', () => {
  let server: Server;
  let target: string;

  beforeAll(async () => {
    const answers: Record<string, (end: (status: number, body: string) => void) => void> = {
      '/whole': (end) => end(200, '{"jsonrpc":"2.0","id":1,"result":{"text":"an \\"error\\" of no one"}}'),
      '/error': (end) => end(200, '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}'),
      '/event': (end) => end(200, 'event: message\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":1}}\n\n'),
      '/refused': (end) => end(403, ''),
    };
    server = createServer((request, response) => {
      request.resume();
      answers[request.url ?? '']?.((status, body) => {
        response.writeHead(status);
        // In two pieces, so that it is sent in chunks.
        if (body !== '') response.write(body.slice(0, 7));
        response.end(body.slice(7));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { 'content-type': 'application/json' };
    writeRequests(
      place('requests'),
      Object.keys(answers).map((path) => ({ method: 'POST', path, headers, body: '{}' })),
    );
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('tells answers from JSON-RPC errors and counts both by status', async () => {
    const report = await loadRequests({
      target,
      requestsFile: place('requests'),
      connections: 2,
      seconds: 0.4,
      rate: 100,
    });
    expect(report).toMatchObject({ sent: 40, status: { 200: 30, 403: 10 }, rpcErrors: 20, errors: 0 });
  });
});

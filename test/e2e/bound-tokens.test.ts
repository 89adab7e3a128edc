// Tokens that are bound to a key of the client (DPoP), through the whole product: issued by an identity provider that none
// of us wrote, proven by jose, judged behind the real Envoy.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProofKey, type ProofKey, signProof } from '#test/support/dpop-keys.ts';
import { httpCall } from '#test/support/http-call.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import { startVersionServer, type VersionServer, versionTools } from '#test/support/version-server.ts';

const OWN_HOST = 'mcp.acme.example';
const CLIENT = { id: 'robot', secret: 'robot-secret' };

let product: Product;
let provider: OidcProvider;
let upstream: VersionServer;
let holder: ProofKey;
let url: string;

const put = async (
  path: string,
  body: object,
  headers: Record<string, string> = { 'if-none-match': '*' },
) => {
  const answer = await product.registry('PUT', `/v1/tenants/acme${path}`, body, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

const bindTracker = async (dpop: 'offered' | 'required' | undefined, ifMatch?: string): Promise<void> => {
  const bindings = [{ issuerId: 'idp', audiences: [url], requiredScopes: [], ...(dpop ? { dpop } : {}) }];
  const settings = {
    displayName: 'Tracker',
    allowedHosts: [new URL(upstream.url).host],
    upstreamAuth: { mode: 'none' },
    bindings,
  };
  await put(
    '/servers/tracker',
    settings,
    ifMatch === undefined ? { 'if-none-match': '*' } : { 'if-match': ifMatch },
  );
};

const bringTenant = async (): Promise<void> => {
  await put('', {
    displayName: 'Acme',
    accessContact: 'zoe@acme.example',
    allowedOrigins: [],
    fourEyes: false,
  });
  await put('/issuers/idp', {
    kind: 'oidc',
    issuer: provider.issuer,
    jwksUri: provider.jwksUri,
    relation: 'home',
    tokenType: 'at+jwt',
  });
  await bindTracker('required');
  const version = {
    endpoints: [upstream.url],
    protocolVersions: ['2026-07-28'],
    tools: versionTools(['ping']),
  };
  await put('/servers/tracker/versions/1.0.0', version);
  const { etag } = await product.registry('GET', '/v1/tenants/acme/servers/tracker');
  await put('/servers/tracker/active-version', { version: '1.0.0' }, { 'if-match': etag });
  await put('/grants/robot', {
    serverId: 'tracker',
    subjects: [{ kind: 'application', id: CLIENT.id }],
    tools: ['*'],
    prompts: [],
    resources: [],
  });
};

beforeAll(async () => {
  [product, upstream, holder] = await Promise.all([
    startProduct(),
    startVersionServer('1.0.0', ['ping']),
    createProofKey(),
  ]);
  url = `${product.quickstart.gateway}/t/acme/mcp/tracker`;
  provider = await startOidcProvider({
    resources: { [url]: { scope: 'tools.use' } },
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, grant_types: ['client_credentials'] }],
    dpop: true,
  });
  await bringTenant();
  const isServed = async () =>
    expect((await callProven(await tokenFor(holder))).message.result).toBeDefined();
  await vi.waitFor(isServed, { timeout: 60_000, interval: 100 });
}, 300_000);
afterAll(async () => {
  await Promise.all([product?.stop(), provider?.stop(), upstream?.stop()]);
});

/** A token of the provider; bound to the key, if there is one. */
const tokenFor = async (key?: ProofKey): Promise<string> => {
  const endpoint = `${provider.issuer}/token`;
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}`,
      ...(key === undefined ? {} : { dpop: await signProof(key, { method: 'POST', url: endpoint }) }),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: url }),
  });
  const body = (await answer.json()) as { access_token: string; token_type: string };
  expect(body.token_type).toBe(key === undefined ? 'Bearer' : 'DPoP');
  return body.access_token;
};

const call = (headers: Record<string, string>): Promise<RawAnswer> =>
  send(url, statelessRequest('tools/call', { name: 'ping', arguments: {} }, { headers }));

const callProven = async (token: string, key: ProofKey = holder): Promise<RawAnswer> =>
  call({ authorization: `DPoP ${token}`, dpop: await signProof(key, { method: 'POST', url, token }) });

/** One call as it is on the wire, with a proof for `proven`: `ok` or the reason. */
const outcomeAt = async (sent: { host: string; path: string; proven: string }): Promise<string> => {
  const token = await tokenFor(holder);
  const dpop = await signProof(holder, { method: 'POST', url: sent.proven, token });
  const { headers, body } = statelessRequest('tools/call', { name: 'ping', arguments: {} });
  const answer = await httpCall(new URL(url).origin, sent.path, {
    headers: { ...headers, authorization: `DPoP ${token}`, dpop, host: sent.host },
    body,
  });
  return /"reason":"(\w+)"/.exec(answer.text)?.[1] ?? (answer.status === 200 ? 'ok' : answer.text);
};

const reasonOf = ({ message }: RawAnswer): unknown => message.error?.data['reason'];
const challengeOf = (answer: RawAnswer): string => answer.headers.get('www-authenticate') ?? '';

describe('where bound tokens are required', () => {
  it('lets in who proves the key, as often as it is proven anew, and nothing of it goes upstream', async () => {
    const token = await tokenFor(holder);
    for (let i = 0; i < 3; i += 1) {
      const answer = await callProven(token);
      expect(answer.message.result, answer.text).toBeDefined();
    }
    expect(upstream.seenHeaders()).not.toHaveProperty('dpop');
    expect(upstream.seenHeaders()).not.toHaveProperty('authorization');
  });

  it('refuses a proof that was seen, and the token without one', async () => {
    const token = await tokenFor(holder);
    const proof = await signProof(holder, { method: 'POST', url, token });
    expect((await call({ authorization: `DPoP ${token}`, dpop: proof })).message.result).toBeDefined();
    const replayed = await call({ authorization: `DPoP ${token}`, dpop: proof });
    expect([replayed.status, reasonOf(replayed)]).toEqual([401, 'dpop_proof_replayed']);
    expect(challengeOf(replayed)).toMatch(/^DPoP error="invalid_dpop_proof", algs="ES256 /);
    const stolen = await call({ authorization: `Bearer ${token}` });
    expect([stolen.status, reasonOf(stolen)]).toEqual([401, 'dpop_scheme_required']);
    expect(challengeOf(stolen)).toMatch(/^DPoP error="invalid_token", algs="ES256 /);
    const thief = await callProven(token, await createProofKey());
    expect([thief.status, reasonOf(thief)]).toEqual([401, 'dpop_key_mismatch']);
  });

  it('goes by the address of the gateway, not by the Host header', async () => {
    const proven = 'http://localhost:1/t/acme/mcp/tracker';
    expect(await outcomeAt({ host: 'localhost:1', path: '/t/acme/mcp/tracker', proven })).toBe(
      'dpop_wrong_request',
    );
  });

  it("goes by a tenant's own host name where the client came by it", async () => {
    await product.registry('PUT', '/v1/tenants/acme/hosts', { names: [OWN_HOST] }, { 'if-none-match': '*' });
    const { origin, port } = new URL(url);
    const at = { host: `${OWN_HOST}:${port}`, path: '/mcp/tracker' };
    const proven = `http://${OWN_HOST}:${port}/mcp/tracker`;
    await expect.poll(() => outcomeAt({ ...at, proven })).toBe('ok');
    expect(await outcomeAt({ ...at, proven: `${origin}/mcp/tracker` })).toBe('dpop_wrong_request');
    expect(await outcomeAt({ ...at, proven: url })).toBe('dpop_wrong_request');
    const other = { host: new URL(url).host, path: '/t/acme/mcp/tracker' };
    expect(await outcomeAt({ ...other, proven })).toBe('dpop_wrong_request');
  });

  it('refuses two proofs as Envoy hands them on', async () => {
    const token = await tokenFor(holder);
    const proofs = await Promise.all([1, 2].map(() => signProof(holder, { method: 'POST', url, token })));
    const { method, headers, body } = statelessRequest('tools/call', { name: 'ping', arguments: {} });
    const twice = new Headers({ ...headers, authorization: `DPoP ${token}` });
    for (const proof of proofs) twice.append('dpop', proof);
    expect(reasonOf(await send(url, { method, headers: twice, body }))).toBe('dpop_proof_malformed');
  });

  it('refuses a token that is bound to nothing, and says in the metadata what it wants', async () => {
    const plain = await tokenFor();
    const answer = await call({ authorization: `Bearer ${plain}` });
    expect([answer.status, reasonOf(answer)]).toEqual([401, 'token_not_bound']);
    const metadata = /resource_metadata="([^"]+)"/.exec(challengeOf(answer))?.[1] ?? '';
    const document = (await (await fetch(metadata)).json()) as Record<string, unknown>;
    expect(document).toMatchObject({ resource: url, dpop_bound_access_tokens_required: true });
    expect(document['dpop_signing_alg_values_supported']).toContain('ES256');
  });

  it('writes neither token nor proof into any log', async () => {
    const token = await tokenFor(holder);
    const dpop = await signProof(holder, { method: 'POST', url, token });
    await call({ authorization: `DPoP ${token}`, dpop });
    await call({ authorization: `DPoP ${token}`, dpop });
    const logs = await product.allLogs();
    expect(logs).toContain('dpop_proof_replayed');
    for (const part of [...token.split('.'), ...dpop.split('.')]) expect(logs).not.toContain(part);
  });
});

describe('the demand of a server', () => {
  it('is in force for the next calls, without a restart', async () => {
    const [plain, bound] = [await tokenFor(), await tokenFor(holder)];
    const change = async (dpop: 'offered' | undefined): Promise<void> => {
      const { etag } = await product.registry('GET', '/v1/tenants/acme/servers/tracker');
      await bindTracker(dpop, etag);
    };
    await change('offered');
    await expect
      .poll(async () => (await call({ authorization: `Bearer ${plain}` })).message.result)
      .toBeDefined();
    expect((await callProven(bound)).message.result).toBeDefined();
    expect(reasonOf(await call({ authorization: `Bearer ${bound}` }))).toBe('dpop_scheme_required');
    expect(challengeOf(await call({}))).toMatch(/^Bearer resource_metadata=.*, DPoP algs="ES256 /);
    await change(undefined);
    await expect.poll(async () => reasonOf(await callProven(bound))).toBe('token_binding_refused');
    expect(challengeOf(await call({}))).not.toContain('DPoP');
    expect((await call({ authorization: `Bearer ${plain}` })).message.result).toBeDefined();
  });
});

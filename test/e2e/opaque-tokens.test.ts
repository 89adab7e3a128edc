// Opaque tokens through the whole product: issued by an identity provider that none of us wrote, which ext-authz asks with
// a secret from a file, and goes on without for those it knows.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { bringTenant, outcomeOfCall, type ProductTenant } from '#test/support/product-tenant.ts';
import { startVersionServer, type VersionServer } from '#test/support/version-server.ts';

const ROBOT = { clientId: 'robot', clientSecret: 'robot-secret' };
const SECRET = 'secret-of-the-gateway';
const QUESTIONS = '/token/introspection';

let product: Product;
let provider: OidcProvider;
let upstream: VersionServer;
let acme: ProductTenant;
let url: string;

const issuer = (changes: object = {}) => ({
  kind: 'oidc',
  issuer: provider.issuer,
  relation: 'home',
  introspection: {
    endpoint: `${provider.issuer}${QUESTIONS}`,
    clientId: 'gateway',
    secretName: 'idp-introspection',
    ...changes,
  },
});

const secretFile = (): string => {
  const directory = join(product.process.localDirectory, 'secrets', 'acme');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, 'idp-introspection');
};

beforeAll(async () => {
  [product, upstream] = await Promise.all([startProduct(), startVersionServer('1.0.0', ['ping'])]);
  url = `${product.quickstart.gateway}/t/acme/mcp/tracker`;
  provider = await startOidcProvider({
    resources: { [url]: { scope: 'tools.use', format: 'opaque' } },
    clients: [
      { client_id: 'gateway', client_secret: SECRET },
      { client_id: ROBOT.clientId, client_secret: ROBOT.clientSecret, tokenClaims: { sub: 'robot' } },
    ],
    introspection: true,
  });
  acme = await bringTenant(product, 'acme');
  await acme.create('/issuers/idp', issuer());
  const bindings = [{ issuerId: 'idp', audiences: [url], requiredScopes: [] }];
  await acme.register('tracker', { upstream, tools: ['ping'], bindings });
  await acme.grant('robot', { serverId: 'tracker', subjects: [{ kind: 'application', id: ROBOT.clientId }] });
  await acme.replace('/issuers/idp', issuer());
}, 300_000);
afterAll(async () => {
  await Promise.all([product?.stop(), provider?.stop(), upstream?.stop()]);
});

const newToken = (): Promise<string> => provider.clientToken({ ...ROBOT, resource: url });
const call = (token: string): Promise<string> => outcomeOfCall(url, token, 'ping');
const questions = (): number => provider.requests.filter((path) => path === QUESTIONS).length;

describe('an opaque token', () => {
  it('is refused as long as the gateway has no secret to ask with, or one that others can read', async () => {
    const token = await newToken();
    expect(await call(token)).toBe('introspection_credential_refused');
    writeFileSync(secretFile(), 'wrong', { mode: 0o600 });
    expect(await call(token)).toBe('introspection_credential_refused');
    writeFileSync(secretFile(), SECRET, { mode: 0o600 });
    chmodSync(secretFile(), 0o644);
    expect(await call(token)).toBe('introspection_credential_refused');
    chmodSync(secretFile(), 0o600);
    expect(await call(token)).toBe('ok');
  });

  it('is asked about once for many calls, and never goes upstream', async () => {
    const token = await newToken();
    const before = questions();
    for (let i = 0; i < 5; i += 1) expect(await call(token)).toBe('ok');
    expect(questions() - before).toBe(1);
    expect(upstream.seenHeaders()).not.toHaveProperty('authorization');
  });

  it('is refused when its issuer does not know it', async () => {
    expect(await call('made-up')).toBe('token_inactive');
  });

  it('that is known goes on while the issuer is away; a new one waits for it', async () => {
    const [known, other] = [await newToken(), await newToken()];
    expect(await call(known)).toBe('ok');
    provider.intercept = (_request, response) => {
      response.destroy();
      return true;
    };
    expect(await call(known)).toBe('ok');
    expect(await call(other)).toBe('introspection_unavailable');
    provider.intercept = undefined;
    expect(await call(other)).toBe('ok');
  });

  it('is asked about anew once the issuer is set otherwise: what was answered before counts no more', async () => {
    const token = await newToken();
    expect(await call(token)).toBe('ok');
    const before = questions();
    await acme.replace('/issuers/idp', issuer({ maxAgeSeconds: 0 }));
    for (let i = 0; i < 3; i += 1) expect(await call(token)).toBe('ok');
    expect(questions() - before).toBe(3);
    await acme.replace('/issuers/idp', { ...issuer(), introspection: undefined });
    expect(await call(token)).toBe('token_malformed');
  });

  it('stands in no log, nor does the secret', async () => {
    const token = await newToken();
    await acme.replace('/issuers/idp', issuer());
    expect(await call(token)).toBe('ok');
    const logs = await product.allLogs();
    expect(logs).toContain('introspection_credential_refused');
    for (const secret of [token, SECRET, ROBOT.clientSecret]) expect(logs).not.toContain(secret);
  });
});

// The sign-in façade through the whole product: MCP clients of both official SDK lines that know nobody in advance, before an
// identity provider that knows no registration and no client documents and refuses `resource` (AADSTS9010010), and before one
// of another author that understands `resource`. From the 401 to a call through the real Envoy.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { createFacadePerson } from '#test/support/facade-person.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { type NotesServer, startNotesServer } from '#test/support/notes-server.ts';
import {
  type Acquaintance,
  createSignInMemory,
  type SignedInClient,
  signInAndConnect,
} from '#test/support/oauth-client.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { addOtherAudience } from '#test/support/other-audience.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { bringTenant } from '#test/support/product-tenant.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '#test/support/tls-certificate.ts';

const REDIRECT = 'http://127.0.0.1:53682/callback';
const ALICE = '10000000-aaaa-4aaa-8aaa-00000000000a';

let product: Product;
let facade: string;
let site: Server;
let documentUrl: string;
let other: OidcProvider | undefined;
let notes: NotesServer | undefined;
const directory = mkdtempSync(join(tmpdir(), 'mcpgw-facade-'));
const open: SignedInClient[] = [];

/** The client's own site: its document, and some that are not what they should be. */
const startSite = async (): Promise<void> => {
  site = createServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, ({ url }, response) => {
    if (url === '/moved.json')
      return void response.writeHead(302, { location: 'https://169.254.169.254/latest/meta-data' }).end();
    const document = {
      padding: url === '/huge.json' ? 'x'.repeat(50_000) : '',
      client_id: documentUrl,
      client_name: 'A client with a site',
      redirect_uris: ['http://127.0.0.1/callback', 'com.example.app:/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  documentUrl = `https://127.0.0.1:${(site.address() as AddressInfo).port}/client.json`;
};

beforeAll(async () => {
  await startSite();
  const [port = 0] = await findFreePorts(1);
  facade = `http://127.0.0.1:${port}`;
  const authority = join(directory, 'ca.pem');
  writeFileSync(authority, TEST_CERTIFICATE);
  product = await startProduct({
    OAUTH_FACADE_PUBLIC_URL: facade,
    OAUTH_FACADE_PORT: String(port),
    NODE_EXTRA_CA_CERTS: authority,
  });
}, 300_000);
afterAll(async () => {
  for (const client of open) await client.close();
  await product?.stop();
  await other?.stop();
  await notes?.stop();
  site?.close();
  rmSync(directory, { recursive: true, force: true });
});

const connect = async (
  line: 'v1' | 'v2',
  acquaintance: Partial<Acquaintance> = {},
  url = product.serverUrl('tracker'),
) => {
  const person = createFacadePerson();
  const memory = createSignInMemory({ redirectUri: REDIRECT, visit: person.signIn, ...acquaintance });
  const client = await signInAndConnect(line, url, memory);
  open.push(client);
  return { person, memory, client };
};

const OTHER_SECRET = 'secret-of-the-facade-at-the-other-provider';

/** A tenant whose people sign in at oidc-provider, which lets its own clients in only. */
const startOther = async (): Promise<{ url: string; account: string }> => {
  const account = 'alice';
  const url = `${product.quickstart.gateway}/t/acme/mcp/notes`;
  notes = await startNotesServer(['read_note']);
  other = await startOidcProvider({
    resources: { [url]: { scope: 'notes.read' } },
    clients: [
      {
        client_id: 'gateway-facade',
        client_secret: OTHER_SECRET,
        token_endpoint_auth_method: 'client_secret_post',
        redirect_uris: [`${facade}/t/acme/i/idp/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    accounts: { [account]: { groups: ['writers'] } },
    overrides: { issueRefreshToken: async () => true, rotateRefreshToken: true },
  });
  const secrets = join(product.process.localDirectory, 'secrets', 'acme');
  mkdirSync(secrets, { mode: 0o700 });
  writeFileSync(join(secrets, 'idp'), OTHER_SECRET, { mode: 0o600 });
  const tenant = await bringTenant(product, 'acme');
  await tenant.create('/issuers/idp', {
    preset: 'oidc',
    parameters: { issuer: other.issuer },
    relation: 'home',
    facade: {
      clientId: 'gateway-facade',
      secretName: 'idp',
      authorizationEndpoint: `${other.issuer}/auth`,
      tokenEndpoint: `${other.issuer}/token`,
      scopes: ['openid'],
      sendsResource: true,
      registration: true,
    },
  });
  await tenant.register('notes', {
    upstream: { url: notes.url, version: '1.0.0' },
    tools: ['read_note'],
    bindings: [{ issuerId: 'idp', audiences: [url], requiredScopes: ['notes.read'] }],
  });
  await tenant.grant('writers', { serverId: 'notes', subjects: [{ kind: 'group', id: 'writers' }] });
  return { url, account };
};

const counters = async () => {
  const answer = await fetch(`${new URL(product.quickstart.issuer).origin}/control/state`);
  return ((await answer.json()) as { counters: Record<string, { issued: number }> }).counters;
};

describe('before oidc-provider, which understands resource', () => {
  let url: string;
  let account: string;
  beforeAll(async () => {
    ({ url, account } = await startOther());
  }, 60_000);

  it.each(['v1', 'v2'] as const)('the %s client registers, calls and refreshes twice', async (line) => {
    const { memory, client } = await connect(line, { refreshes: true, account }, url);
    expect(await client.callTool('read_note')).toBe('read_note');
    // The provider gives a new refresh token each time and takes none twice.
    for (const _ of [1, 2]) {
      const before = await memory.tokens();
      await memory.saveTokens({ ...before, token_type: 'Bearer', access_token: `${before?.access_token}x` });
      expect(await client.callTool('read_note')).toBe('read_note');
      expect((await memory.tokens())?.refresh_token).not.toBe(before?.refresh_token);
    }
    expect(memory.sentTo).toHaveLength(1);
    const claims = decodeJwt((await memory.tokens())?.access_token ?? '');
    expect(claims).toMatchObject({ iss: other?.issuer, aud: url, client_id: 'gateway-facade' });
  });
});

describe.each(['v1', 'v2'] as const)('the %s client', (line) => {
  it('registers, its user consents and signs in, and it calls with the token of the provider', async () => {
    const { person, memory, client } = await connect(line);
    expect(memory.sentTo[0]?.origin).toBe(facade);
    expect(person.asked).toHaveLength(1);
    expect(await client.callTool('whoami')).toContain(ALICE);
    const tokens = await memory.tokens();
    const claims = decodeJwt(tokens?.access_token ?? '');
    expect(claims.iss).toBe(product.quickstart.issuer);
    expect(claims['azp']).toBe(APPLICATION_IDS.gatewayFacade);
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(tokens).not.toHaveProperty('id_token');
  });

  it('is known by its own document, and refreshes what it got', async () => {
    const { memory, client } = await connect(line, { clientMetadataUrl: documentUrl, refreshes: true });
    expect(memory.sentTo[0]?.searchParams.get('client_id')).toBe(documentUrl);
    expect(await client.callTool('whoami')).toContain(ALICE);
    const before = await memory.tokens();
    expect(before).toHaveProperty('refresh_token');
    const issued = (await counters())['refresh_token']?.issued ?? 0;
    // A token the gateway refuses makes the client refresh.
    await memory.saveTokens({ ...before, token_type: 'Bearer', access_token: `${before?.access_token}x` });
    expect(await client.callTool('whoami')).toContain(ALICE);
    expect((await counters())['refresh_token']?.issued).toBe(issued + 1);
    expect(memory.sentTo).toHaveLength(1);
    expect((await memory.tokens())?.access_token).not.toBe(before?.access_token);
  });
});

it('makes an identity provider usable whose scopes have another name than the server', async () => {
  await addOtherAudience(product);
  const { memory, client } = await connect('v2');
  expect(memory.sentTo[0]?.searchParams.get('resource')).toBe(product.serverUrl('tracker'));
  expect(await client.callTool('whoami')).toContain(ALICE);
});

it.each(['moved', 'huge', 'copied'])('is not led astray by a document that is %s', async (name) => {
  const query = new URLSearchParams({ client_id: documentUrl.replace('client.json', `${name}.json`) });
  const answer = await fetch(`${facade}/t/default/i/contoso/authorize?${query}`, { redirect: 'manual' });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('The document of the client cannot be used.');
});

it('writes no token, code or secret to any log', async () => {
  const { memory } = await connect('v2', { refreshes: true });
  const tokens = await memory.tokens();
  const logs = await product.allLogs();
  expect(logs).toContain('oauth-facade serves');
  for (const text of [
    tokens?.access_token.split('.')[2],
    tokens?.refresh_token,
    memory.cameBackWith().get('code'),
    'gateway-facade-demo-secret',
    OTHER_SECRET,
  ])
    expect(logs).not.toContain(text ?? 'missing');
});

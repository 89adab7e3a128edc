// The sign-in that MCP clients do by themselves, through the whole product: both official SDK lines against an identity
// provider that none of us wrote. From 401 to a call, and from 403 to the wider scope to the same call.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { NO_ARGUMENTS, type NotesServer, startNotesServer } from '#test/support/notes-server.ts';
import {
  type Acquaintance,
  createSignInMemory,
  type SignedInClient,
  signInAndConnect,
} from '#test/support/oauth-client.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { send, statelessRequest } from '#test/support/raw-call.ts';

const REDIRECT = 'http://127.0.0.1/callback';
const CLIENT_DOCUMENT = 'https://client.example/mcp-client.json';
const DESKTOP: Acquaintance = { redirectUri: REDIRECT, clientId: 'desktop', account: 'alice' };

/** Scopes by tool; every caller needs `notes.read`. */
const TOOLS = {
  read_note: [],
  write_note: ['notes.write'],
  purge_notes: ['notes.purge'],
  shred_notes: ['notes.purge'],
} as const;

/** What `shred_notes` asks of a sign-in. */
const STRONG = 'urn:acme:strong';

const SCOPES = ['notes.read', 'notes.write', 'notes.purge'];

/** An application on somebody's machine. */
const NATIVE = {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  redirect_uris: [REDIRECT],
} as const;

let product: Product;
let notes: NotesServer;
let provider: OidcProvider;
let url: string;
const open: SignedInClient[] = [];

const startProvider = (resource: string): Promise<OidcProvider> =>
  startOidcProvider({
    resources: { [resource]: { scope: SCOPES.join(' ') } },
    clients: [
      { ...NATIVE, client_id: 'desktop', grant_types: ['authorization_code'] },
      {
        ...NATIVE,
        client_id: 'desktop-with-refresh',
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    accounts: { alice: { groups: ['writers'] } },
    registration: true,
    clientIdMetadata: true,
    overrides: {
      issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
      acrValues: [STRONG],
      // A client registers with the scopes it was told of, which the provider must know as its own.
      scopes: ['openid', ...SCOPES],
      // The one document there is on the client's own site.
      fetch: async (address) =>
        String(address) === CLIENT_DOCUMENT
          ? Response.json({
              ...NATIVE,
              client_id: CLIENT_DOCUMENT,
              client_name: 'A client with a site',
              grant_types: ['authorization_code'],
              response_types: ['code'],
            })
          : new Response(null, { status: 404 }),
    },
  });

const put = async (
  path: string,
  body: object,
  headers: Record<string, string> = { 'if-none-match': '*' },
) => {
  const answer = await product.registry('PUT', `/v1/tenants/acme${path}`, body, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
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
    algorithms: ['RS256'],
    relation: 'home',
    claims: { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' },
    tokenType: 'at+jwt',
  });
  await put('/servers/notes', {
    displayName: 'Notes',
    allowedHosts: [notes.host],
    upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
    bindings: [
      {
        issuerId: 'idp',
        audiences: [url],
        requiredScopes: ['notes.read'],
        requiredAssurance: [{ anyOf: [STRONG], tools: ['shred_notes'] }],
      },
    ],
    refusalStatus: 200,
  });
  await put('/servers/notes/versions/1.0.0', {
    endpoints: [notes.url],
    transport: 'streamable-http',
    protocolVersions: ['2025-06-18', '2025-11-25', '2026-07-28'],
    tools: Object.entries(TOOLS).map(([name, requiredScopes]) => ({
      name,
      inputSchema: NO_ARGUMENTS,
      requiredScopes,
    })),
  });
  const { etag } = await product.registry('GET', '/v1/tenants/acme/servers/notes');
  await put('/servers/notes/active-version', { version: '1.0.0' }, { 'if-match': etag });
  await put('/grants/writers', {
    serverId: 'notes',
    subjects: [{ kind: 'group', id: 'writers' }],
    tools: ['*'],
  });
};

const waitUntilServed = (): Promise<void> =>
  vi.waitFor(async () => expect((await send(url, statelessRequest('tools/list'))).status).toBe(401), {
    timeout: 30_000,
    interval: 50,
  });

beforeAll(async () => {
  product = await startProduct();
  url = `${product.quickstart.gateway}/t/acme/mcp/notes`;
  notes = await startNotesServer(Object.keys(TOOLS));
  provider = await startProvider(url);
  await bringTenant();
  await waitUntilServed();
}, 300_000);
afterAll(async () => {
  for (const client of open) await client.close();
  await product?.stop();
  await provider?.stop();
  await notes?.stop();
});

const connect = async (line: 'v1' | 'v2', acquaintance: Acquaintance = DESKTOP) => {
  const memory = createSignInMemory(acquaintance);
  const client = await signInAndConnect(line, url, memory);
  open.push(client);
  return { memory, client };
};

const scopesAskedFor = (address: URL | undefined): readonly string[] =>
  (address?.searchParams.get('scope') ?? '').split(' ').toSorted();

// What docs/operations.md says of it, so that it is noticed when it is no longer true.
it('a client of v1 that holds a refresh token gives up at a step up', async () => {
  const { memory, client } = await connect('v1', { ...DESKTOP, clientId: 'desktop-with-refresh' });
  expect(await memory.tokens()).toHaveProperty('refresh_token');
  await expect(client.callTool('write_note')).rejects.toThrow('403 after trying upscoping');
  expect(memory.sentTo).toHaveLength(1);
});

describe.each(['v1', 'v2'] as const)('the %s client', (line) => {
  it('finds its way from the 401 to the identity provider, signs in with PKCE and calls', async () => {
    const { memory, client } = await connect(line);
    expect(memory.sentTo).toHaveLength(1);
    expect(Object.fromEntries(memory.sentTo[0]?.searchParams ?? [])).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: REDIRECT,
      client_id: 'desktop',
      // The very text of the metadata, which is the very text of the endpoint.
      resource: url,
      scope: 'notes.read',
    });
    expect(await client.listTools()).toEqual(Object.keys(TOOLS).toSorted());
    expect(await client.callTool('read_note')).toBe('read_note');
    expect(memory.sentTo).toHaveLength(1);
  });

  it('makes itself known by its own document, where the identity provider reads those', async () => {
    const { memory, client } = await connect(line, {
      redirectUri: REDIRECT,
      clientMetadataUrl: CLIENT_DOCUMENT,
      account: 'alice',
    });
    expect(memory.sentTo[0]?.searchParams.get('client_id')).toBe(CLIENT_DOCUMENT);
    expect(await client.callTool('write_note')).toBe('write_note');
  });

  // Both SDK lines register with the scopes of the first challenge; a provider that holds them to it refuses all others.
  it('registers itself, where that is all it can do, and is held to the scopes it registered with', async () => {
    const { memory, client } = await connect(line, { redirectUri: REDIRECT, account: 'alice' });
    expect(memory.sentTo[0]?.searchParams.get('client_id')).not.toBe('desktop');
    expect(await client.callTool('read_note')).toBe('read_note');
    await expect(client.callTool('write_note')).rejects.toThrow();
    expect(memory.cameBackWith().get('error')).toBe('invalid_scope');
  });

  it('steps up to the scope that a tool needs, and calls it', async () => {
    const { memory, client } = await connect(line);
    expect(await client.callTool('write_note')).toBe('write_note');
    expect(memory.sentTo).toHaveLength(2);
    expect(scopesAskedFor(memory.sentTo[1])).toEqual(['notes.read', 'notes.write']);
    expect((await product.decisions()).map(({ reason }) => reason)).toContain('scope_insufficient');
  });

  it('keeps the scopes it has when it asks for another, so that two tools in turn need one step each', async () => {
    const { memory, client } = await connect(line);
    for (const tool of ['write_note', 'purge_notes', 'write_note', 'purge_notes'])
      expect(await client.callTool(tool)).toBe(tool);
    expect(memory.sentTo).toHaveLength(3);
    expect(scopesAskedFor(memory.sentTo[2])).toEqual(['notes.purge', 'notes.read', 'notes.write']);
  });

  it('steps up to a wider scope and then to a stronger sign-in, and loses neither', async () => {
    const { memory, client } = await connect(line);
    expect(await client.callTool('shred_notes')).toBe('shred_notes');
    expect(memory.sentTo).toHaveLength(3);
    expect(memory.sentTo[1]?.searchParams.has('acr_values')).toBe(false);
    expect(memory.sentTo[2]?.searchParams.get('acr_values')).toBe(STRONG);
    expect(scopesAskedFor(memory.sentTo[2])).toEqual(['notes.purge', 'notes.read', 'openid']);
    expect(await client.callTool('shred_notes')).toBe('shred_notes');
    expect(memory.sentTo).toHaveLength(3);
    const reasons = (await product.decisions()).map(({ reason }) => reason);
    expect(reasons).toContain('assurance_insufficient');
  });

  it('signs in again when its token is no longer good', async () => {
    const { memory, client } = await connect(line);
    const tokens = await memory.tokens();
    await memory.saveTokens({ ...tokens, token_type: 'Bearer', access_token: `${tokens?.access_token}x` });
    expect(await client.callTool('read_note')).toBe('read_note');
    expect(memory.sentTo).toHaveLength(2);
  });

  it('hands its token to the gateway and to nobody behind it, and to no log', async () => {
    const { memory, client } = await connect(line);
    expect(await client.callTool('read_note')).toBe('read_note');
    expect(notes.seenHeaders()).not.toContain('authorization');
    const token = (await memory.tokens())?.access_token ?? 'none';
    expect(await product.allLogs()).not.toContain(token.split('.')[2]);
  });
});

// Official MCP clients of both lines that sign in by themselves, as an application with a browser does: what the SDK asks
// an application to remember, and a browser that is sent to the identity provider and comes back at once.

import {
  Client as ModernClient,
  type OAuthClientProvider as ModernMemory,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorized,
} from '@modelcontextprotocol/client';
import {
  type OAuthClientProvider as LegacyMemory,
  UnauthorizedError as LegacyUnauthorized,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { walkTo } from '#test/support/oidc-tokens.ts';

const INFO = { name: 'gateway-oauth', version: '1.0.0' };

export type ClientLine = 'v1' | 'v2';

/** How the application makes itself known: by an id it was given, by its own document, else by registering. */
export type Acquaintance = {
  readonly redirectUri: string;
  readonly clientId?: string;
  /** https URL of its client id metadata document. */
  readonly clientMetadataUrl?: string;
  /** It uses refresh tokens. */
  readonly refreshes?: boolean;
  /** Who signs in. */
  readonly account?: string;
  /** The browser: goes to the address and comes back to `redirectUri`. Absent: it is led there by redirects alone. */
  readonly visit?: (address: string, redirectUri: string) => Promise<URL>;
};

export type SignInMemory = LegacyMemory & {
  /** Sees every answer, as an application's own `fetch` can, and notes which sign-in is asked for (RFC 9470). */
  readonly fetch: typeof fetch;
  /** Each address the browser was sent to. */
  readonly sentTo: readonly URL[];
  /** Query of the address it came back to last. */
  cameBackWith(): URLSearchParams;
};

/** Remembers what it is given, unchanged, and nothing else; sends its browser wherever it is told. */
export const createSignInMemory = (acquaintance: Acquaintance): SignInMemory => {
  const { redirectUri, clientId, clientMetadataUrl, account, refreshes, visit = walkTo } = acquaintance;
  const kept = new Map<string, unknown>();
  const recall = <T>(name: string) => kept.get(name) as T;
  const keep = (name: string) => (value: unknown) => void kept.set(name, value);
  const sentTo: URL[] = [];
  let acrValues: string | undefined;
  if (clientId !== undefined) keep('client')({ client_id: clientId });
  return {
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      acrValues = /acr_values="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1] ?? acrValues;
      return answer;
    },
    redirectUrl: redirectUri,
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    clientMetadata: {
      client_name: 'gateway test',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', ...(refreshes === true ? ['refresh_token'] : [])],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'one-time-state',
    clientInformation: () => recall('client'),
    saveClientInformation: keep('client'),
    tokens: () => recall('tokens'),
    saveTokens: keep('tokens'),
    codeVerifier: () => recall('verifier'),
    saveCodeVerifier: keep('verifier'),
    discoveryState: () => recall('discovery'),
    saveDiscoveryState: keep('discovery'),
    redirectToAuthorization: async (url) => {
      const visited = new URL(url);
      // OpenID Connect Core §3.1.2.1: the parameter is one of its own, so some providers want its scope with it.
      if (acrValues !== undefined) {
        visited.searchParams.set('acr_values', acrValues);
        visited.searchParams.set('scope', `openid ${visited.searchParams.get('scope')}`);
      }
      sentTo.push(new URL(visited));
      if (account !== undefined) visited.searchParams.set('login_hint', account);
      keep('callback')((await visit(visited.href, redirectUri)).searchParams);
    },
    sentTo,
    cameBackWith: () => recall('callback'),
  };
};

export type SignedInClient = {
  listTools(): Promise<readonly string[]>;
  /** Text of the tool's first content. Signs in again, twice at most, where that is asked for. */
  callTool(name: string): Promise<string>;
  close(): Promise<void>;
};

type Spoken = Pick<LegacyClient, 'close'> & {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
};

type Connection = { readonly client: Spoken; connect(): Promise<void>; finish(): Promise<void> };

const legacyConnection = (url: string, memory: SignInMemory): Connection => {
  const client = new LegacyClient(INFO);
  const transport = new LegacyTransport(new URL(url), { authProvider: memory, fetch: memory.fetch });
  return {
    client,
    // The SDK's own types disagree under exactOptionalPropertyTypes.
    connect: () => client.connect(transport as Transport),
    finish: () => transport.finishAuth(memory.cameBackWith().get('code') ?? ''),
  };
};

const modernConnection = (url: string, memory: SignInMemory): Connection => {
  const client = new ModernClient(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const transport = new ModernTransport(new URL(url), {
    authProvider: memory as unknown as ModernMemory,
    fetch: memory.fetch,
  });
  return {
    client: client as unknown as Spoken,
    connect: () => client.connect(transport),
    finish: () => transport.finishAuth(memory.cameBackWith()),
  };
};

const isUnauthorized = (thrown: unknown): boolean =>
  thrown instanceof LegacyUnauthorized || thrown instanceof ModernUnauthorized;

/** Works, or signs in and works again: what an application does around every call. Twice: for a scope, then for assurance. */
const withSignIn = async <T>(
  work: () => Promise<T>,
  signIn: () => Promise<void>,
  patience = 2,
): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    if (patience === 0 || !isUnauthorized(thrown)) throw thrown;
    await signIn();
    return withSignIn(work, signIn, patience - 1);
  }
};

/**
 * Connects without a token, signing in when it is told where.
 * @throws what the SDK throws where the sign-in does not lead to a connection
 */
export const signInAndConnect = async (
  line: ClientLine,
  url: string,
  memory: SignInMemory,
): Promise<SignedInClient> => {
  const open = line === 'v1' ? legacyConnection : modernConnection;
  let connection = open(url, memory);
  await withSignIn(
    () => connection.connect(),
    async () => {
      await connection.finish();
      // A transport starts once only.
      connection = open(url, memory);
    },
  );
  const { client, finish } = connection;
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name).toSorted(),
    callTool: async (name) => {
      const result = (await withSignIn(() => client.callTool({ name, arguments: {} }), finish)) as {
        content: { text: string }[];
      };
      return result.content[0]?.text ?? '';
    },
    close: () => client.close(),
  };
};

// The sign-in façade as it runs, on its real listener before a real mini-entra, with two tenants; only the clock is ours, and,
// where a test is about documents of clients, what their sites answer.

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { APPLICATIONS, DIRECTORIES, withEndpoints } from '#demo/directory.ts';
import { createMiniEntra, type MiniEntra } from '#demo/mini-entra/mini-entra.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';
import { answerRequest } from '#oauth-facade/answer.ts';
import { browserCookies } from '#oauth-facade/browser.ts';
import { createDocuments } from '#oauth-facade/client/documents.ts';
import { facadeKeyFile } from '#oauth-facade/facade-keys.ts';
import { startFacadeServer } from '#oauth-facade/http/server.ts';
import type { FacadeParts } from '#oauth-facade/parts.ts';
import { createAskProvider } from '#oauth-facade/provider/token-request.ts';
import { createSealer } from '#oauth-facade/sealer.ts';
import { createEgressGuard, type EgressGuard } from '#runtime/egress-guard.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import { openKeyRing } from '#runtime/key-ring.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createRateLimit } from '#runtime/rate-limit.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { createFacadePerson, type FacadePerson } from '#test/support/facade-person.ts';

export const GATEWAY = 'https://gw.example';
export const TRACKER = `${GATEWAY}/mcp/tracker`;
export const REDIRECT = 'https://client.example/callback';
const TENANTS = ['acme', 'default'];

export type Form = Readonly<Record<string, string | undefined>>;

export type FacadeBench = {
  readonly url: string;
  readonly provider: MiniEntra;
  readonly state: SharedState;
  /** Of the façade of a tenant, `default` unless given. */
  issuer(tenantId?: string): string;
  /** Moves the façade's clock. */
  advance(seconds: number): void;
  /** Everything logged so far. */
  log(): string;
  change(edit: (tenant: Tenant) => Tenant): void;
  post(address: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  /** A client that registered; refreshes unless told otherwise. */
  register(metadata?: object, tenantId?: string): Promise<string>;
  /** Address of `/authorize` for a client, with what is given changed or left out. */
  authorizeUrl(clientId: string, changes?: Form, tenantId?: string): string;
  /** A code, as the client gets it. */
  codeFor(clientId: string, changes?: Form, person?: FacadePerson): Promise<string>;
  token(form: Form, tenantId?: string): ReturnType<FacadeBench['post']>;
  /** What redeems a code of `codeFor`, with what is given changed or left out. */
  codeForm(clientId: string, code: string, changes?: Form): Form;
  stop(): Promise<void>;
};

/** The client's. */
const VERIFIER = randomBytes(32).toString('base64url');

const tenantOf = (id: string, provider: MiniEntra): Tenant => {
  const places = { providerOrigin: provider.origin, trackerPort: 9101, reportsPort: 9102 };
  const { tenant, issuers, servers, grants, publishers } = buildSeedWorld(places);
  const built = servers.map((server) => ({
    ...server.settings,
    id: server.id,
    enabled: true,
    activeVersion: '1.0.0',
    versions: [{ version: '1.0.0', ...server.version }],
  }));
  return { ...tenant, id, revision: 1, issuers, servers: built, grants, publishers, killSwitches: [] };
};

const filled = (form: Form): URLSearchParams => {
  const filled = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) if (value !== undefined) filled.set(name, value);
  return filled;
};

const startProvider = (): Promise<MiniEntra> => {
  const redirectUris = TENANTS.map((tenantId) => `http://127.0.0.1/t/${tenantId}/i/contoso/callback`);
  const applications = withEndpoints(APPLICATIONS, GATEWAY).map((application) =>
    application.name === 'gateway-facade' ? { ...application, redirectUris } : application,
  );
  return createMiniEntra({ directories: DIRECTORIES, applications, port: 0 });
};

const writeSecrets = (directory: string): string => {
  const secrets = join(directory, 'secrets');
  for (const folder of [secrets, join(secrets, 'acme')]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'gateway-facade'), 'gateway-facade-demo-secret', { mode: 0o600 });
  }
  return secrets;
};

/** What a client does with the façade. */
const clientSide = (url: string, provider: Pick<FacadeBench, 'issuer'>) => {
  const post: FacadeBench['post'] = async (address, body) => {
    const isForm = body instanceof URLSearchParams;
    const answer = await fetch(address, {
      method: 'POST',
      headers: isForm ? {} : { 'content-type': 'application/json' },
      body: isForm ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const authorizeUrl: FacadeBench['authorizeUrl'] = (clientId, changes = {}, tenantId = 'default') => {
    const query = filled({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: REDIRECT,
      resource: TRACKER,
      state: 'a&b',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      ...changes,
    });
    return `${provider.issuer(tenantId)}/authorize?${query}`;
  };
  return {
    url,
    post,
    authorizeUrl,
    register: async (metadata: object = {}, tenantId = 'default') => {
      const said = {
        client_name: 'A test client',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code', 'refresh_token'],
      };
      const { status, body } = await post(`${provider.issuer(tenantId)}/register`, { ...said, ...metadata });
      if (status !== 201) throw new Error(`not registered: ${status} ${JSON.stringify(body)}`);
      return String(body['client_id']);
    },
    codeFor: async (clientId: string, changes: Form = {}, person = createFacadePerson()) => {
      const redirect = changes['redirect_uri'] ?? REDIRECT;
      const back = await person.signIn(authorizeUrl(clientId, changes), redirect);
      const code = back.searchParams.get('code');
      if (code === null) throw new Error(`no code: ${back.search}`);
      return code;
    },
    token: (form: Form, tenantId = 'default') => post(`${provider.issuer(tenantId)}/token`, filled(form)),
    codeForm: (clientId: string, code: string, changes: Form = {}): Form => ({
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
      ...changes,
    }),
  };
};

/** @param documentFetch what answers where documents of clients are looked for; the real guard, which lets nothing in, otherwise */
export const startFacadeBench = async (documentFetch?: EgressGuard['fetch']): Promise<FacadeBench> => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-facade-'));
  const provider = await startProvider();
  const lines: string[] = [];
  const logger = createLogger('oauth-facade', 'info', { write: (line) => void lines.push(line) });
  let offsetMs = 0;
  const nowMs = () => Date.now() + offsetMs;
  let snapshot: Snapshot = { sequence: 1, tenants: TENANTS.map((id) => tenantOf(id, provider)) };
  const keyFile = facadeKeyFile(join(directory, 'facade.key'));
  ensureKeyFile(keyFile);
  const state = createMemoryState(nowMs);
  const strangers = createRateLimit({ burst: 60, perSecond: 2 });
  const strict = createEgressGuard({ allowPrivate: false, allowedHosts: [] });
  let parts: FacadeParts | undefined;
  const server = await startFacadeServer({
    port: 0,
    logger,
    metrics: createMetrics('test'),
    answer: async (request) => {
      if (parts === undefined) throw new Error('not started');
      return answerRequest(parts, request);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  parts = {
    snapshot: () => snapshot,
    publicUrl: url,
    gatewayUrl: GATEWAY,
    cookies: browserCookies(url),
    sealer: createSealer(openKeyRing(keyFile, { name: 'keys', logger, nowMs }), randomBytes),
    documents: createDocuments({ fetch: documentFetch ?? strict.fetch, strangers, nowMs }),
    askProvider: createAskProvider({
      fetch: createEgressGuard({ allowPrivate: true, allowedHosts: [] }).fetch,
      secrets: createSecretStore(writeSecrets(directory)),
    }),
    state,
    strangers,
    nowMs,
    newId: () => randomBytes(32).toString('base64url'),
  };
  const issuer = (tenantId = 'default'): string => `${url}/t/${tenantId}/i/contoso`;
  return {
    provider,
    state,
    issuer,
    ...clientSide(url, { issuer }),
    advance: (seconds) => {
      offsetMs += seconds * 1000;
    },
    log: () => lines.join(''),
    change: (edit) => {
      snapshot = { sequence: snapshot.sequence + 1, tenants: snapshot.tenants.map(edit) };
    },
    stop: async () => {
      await server.close();
      await provider.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

// A registry for tests: the real API over HTTP, the real store in a file, tokens of a real issuer. Only the process
// around them is left out; registry-process.test.ts has that.

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { err } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { createApi } from '#registry/api/api.ts';
import { createAdminIssuers } from '#registry/api/auth/admin-issuers.ts';
import { createAdminTrusts } from '#registry/api/auth/admin-trusts.ts';
import { createAuthenticate } from '#registry/api/auth/authenticate.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { createPublishApi } from '#registry/api/publish-api.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import type { PreviewOutcome } from '#registry/feed/preview-desk.ts';
import { createRevocationRecorder } from '#registry/record-revocation.ts';
import { createRemoteKeys, guardedFetch } from '#registry/remote-keys.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import type { HostLookup } from '#runtime/egress-resolve.ts';
import { createLogger } from '#runtime/logger.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { createAnswerCheck, type OpenApiDocument } from '#test/support/openapi-answers.ts';
import {
  createTestKey,
  type KeyServer,
  publishKey,
  signWith,
  startKeyServer,
} from '#test/support/token-issuer.ts';

export const ADMIN_ISSUER = 'https://login.example.com/admins';
export const ADMIN_AUDIENCE = 'registry-app';
/** An admin issuer for a tenant of its own, where a test gives it one. */
export const TENANT_ISSUER = 'https://login.example.com/acme';
export const TENANT_AUDIENCE = 'registry-of-acme';
/** Where identity providers believe its receiver of signals to be. */
export const SIGNALS_URL = 'https://signals.example.com';
/** Where clients of the test registry believe it to be. */
export const PUBLIC_URL = 'https://registry.example.com';
export const ADMIN_KEY = createTestKey('admin-1');

/** Claims of a good token with these roles; `changes` spoils them. */
export const adminClaims = (roles: readonly string[], changes: object = {}): object => {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  return {
    iss: ADMIN_ISSUER,
    aud: ADMIN_AUDIENCE,
    sub: 'ada',
    iat: nowSeconds,
    exp: nowSeconds + 600,
    roles,
    ...changes,
  };
};

export const adminToken = (roles: readonly string[], changes: object = {}): Promise<string> =>
  signWith(ADMIN_KEY, adminClaims(roles, changes));

/** Members of answers that tests look into; which of them are there depends on the route. */
export type AnswerBody = {
  readonly type: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly message: string; readonly in?: string }[];
  readonly items: readonly Readonly<Record<'id' | 'reason', string> & Record<'number', number>>[];
  readonly revision: number;
  readonly sequence: number;
  readonly enabled: boolean;
  readonly activeVersion: string;
  readonly tools: readonly { readonly inputSchema: object }[];
  readonly tenant: { readonly servers: readonly object[]; readonly grants: readonly object[] };
};

export type Answer = {
  readonly status: number;
  readonly etag: string;
  readonly headers: Headers;
  readonly body: AnswerBody;
};

export type Call = {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Roles of the caller; absent: platform-admin. null: no token. */
  readonly roles?: readonly string[] | null;
};

let answerCheck: ReturnType<typeof createAnswerCheck> | undefined;

/** Every answer a test sees is what /openapi.json says it is. */
const holdToDocument = async (method: string, response: Response, text: string): Promise<void> => {
  const url = new URL(response.url);
  answerCheck ??= createAnswerCheck(
    (await (await fetch(new URL('/openapi.json', url))).json()) as OpenApiDocument,
  );
  const { status, headers } = response;
  const faults = answerCheck({ method, path: url.pathname, status, headers, text });
  if (faults.length > 0)
    throw new Error(`${method} ${url.pathname} answers other than documented: ${faults.join('; ')}`);
};

/** What was answered, once it has been held to the document. */
export const answerFrom = async (method: string, response: Response): Promise<Answer> => {
  const text = await response.text();
  await holdToDocument(method, response, text);
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? '',
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
};

/** One call to the API at `url`, with a reason unless the headers bring their own. */
export const callApi = async (url: string, method: string, call: Call = {}): Promise<Answer> => {
  const roles = call.roles === undefined ? ['platform-admin'] : call.roles;
  const token = roles === null ? {} : { authorization: `Bearer ${await adminToken(roles)}` };
  const hasBody = call.body !== undefined;
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const response = await fetch(url, {
    method,
    headers: {
      ...token,
      ...(hasBody ? { 'content-type': contentType } : {}),
      'x-change-reason': 'a test',
      ...call.headers,
    },
    ...(hasBody ? { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) } : {}),
  });
  return answerFrom(method, response);
};

export type TestRegistry = {
  readonly url: string;
  /** Where Envoy brings publishers with client certificates. */
  readonly publishSocket: string;
  readonly store: Store;
  /** What the routes work with. */
  readonly context: ApiContext;
  readonly keyServer: KeyServer;
  readonly logLines: readonly string[];
  consumers: readonly ConsumerEntry[];
  /** `consumers`, unless a test has somebody else say it. */
  listConsumers(): Promise<readonly ConsumerEntry[]>;
  /** Answers previews; nobody is there unless a test says so. */
  preview(tenant: Tenant): Promise<PreviewOutcome>;
  /** Answers what a node has; its xds-server is not there unless a test says so. */
  nodeConfig: ApiContext['nodeConfig'];
  /** As if the consumers had just reported. */
  report(consumers: readonly ConsumerEntry[]): void;
  call(method: string, path: string, call?: Call): Promise<Answer>;
  stop(): Promise<void>;
};

/** Starts a registry on a free port with an empty store. */
export const startTestRegistry = async (
  options: {
    readonly allowPrivate?: boolean;
    readonly keyMembers?: object;
    /** One that a test has opened itself; the registry closes it. */
    readonly store?: Store;
    /** The name service; the system's otherwise. */
    readonly lookup?: HostLookup;
  } = {},
): Promise<TestRegistry> => {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'));
  const store = options.store ?? openSqliteStore(join(directory, 'registry.db'), TEST_AUDIT);
  const keyServer = await startKeyServer([publishKey(ADMIN_KEY, options.keyMembers)]);
  const logLines: string[] = [];
  const logger = createLogger('registry', 'debug', { write: (line) => logLines.push(line) });
  const keys = createRemoteKeys({
    issuer: ADMIN_ISSUER,
    jwksUri: keyServer.url,
    logger,
    fetchKeys: fetch,
  });
  const egress = createEgressGuard({
    allowPrivate: options.allowPrivate ?? false,
    allowedHosts: [],
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  const fetchKeys = guardedFetch(egress);
  const adminTrusts = createAdminTrusts({
    platform: { issuer: ADMIN_ISSUER, audience: ADMIN_AUDIENCE, getKey: keys.getKey },
    tenants: createAdminIssuers(store),
    createKeys: (address) => createRemoteKeys({ ...address, logger, fetchKeys }),
  });
  let ids = 0;
  const nowMs = () => Date.now();
  const newId = () => `event-${++ids}`;
  const registry = {
    consumers: [] as readonly ConsumerEntry[],
    listConsumers: async (): Promise<readonly ConsumerEntry[]> => registry.consumers,
    preview: async (_tenant: Tenant): Promise<PreviewOutcome> => err('no-xds-server'),
    nodeConfig: (async () => err('not-here')) as ApiContext['nodeConfig'],
  };
  const reportListeners = new Set<() => void>();
  const context = {
    store,
    checkUrl: (url: string) => egress.checkUrl(url),
    adminTrusts,
    publicUrl: PUBLIC_URL,
    signalsUrl: SIGNALS_URL,
    consumers: () => registry.listConsumers(),
    onReport: (listener: () => void) => {
      reportListeners.add(listener);
      return () => void reportListeners.delete(listener);
    },
    preview: (tenant: Tenant) => registry.preview(tenant),
    nodeConfig: ((...question) => registry.nodeConfig(...question)) as ApiContext['nodeConfig'],
    onWrite: () => undefined,
    logger,
    nowMs,
    newId,
    recordRevocation: createRevocationRecorder({ store, sessionMaxAgeSeconds: 7 * 86_400, nowMs, newId }),
  };
  const authenticate = createAuthenticate(adminTrusts);
  const api = await createApi(context, authenticate);
  await api.listen({ host: '127.0.0.1', port: 0 });
  const publishApi = await createPublishApi(context, authenticate);
  const publishSocket = join(directory, 'publish.sock');
  await publishApi.listen({ path: publishSocket });
  const url = `http://127.0.0.1:${(api.server.address() as AddressInfo).port}`;
  return Object.assign(registry, {
    url,
    publishSocket,
    store,
    context,
    keyServer,
    logLines,
    report: (consumers: readonly ConsumerEntry[]) => {
      registry.consumers = consumers;
      for (const listener of reportListeners) listener();
    },
    call: (method: string, path: string, call: Call = {}) => callApi(`${url}${path}`, method, call),
    stop: async () => {
      await Promise.all([api.close(), publishApi.close()]);
      keys.stop();
      adminTrusts.stop();
      await keyServer.stop();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  });
};

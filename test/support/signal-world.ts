// A registry with a receiver of signals over HTTP, a transmitter, and two tenants: one that trusts it and a neighbour that
// trusts it too, under another address.

import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '#core/gateway-error.ts';
import type { RecordRevocation } from '#registry/record-revocation.ts';
import { createRemoteKeys, guardedFetch } from '#registry/remote-keys.ts';
import { addressesOf } from '#registry/signals/channel-address.ts';
import { createChannelAnswers } from '#registry/signals/open-channel.ts';
import { createSignalReceiver } from '#registry/signals/receiver.ts';
import { createTransmitterKeys } from '#registry/signals/transmitter-keys.ts';
import type { StoredRevocation } from '#registry/store/revocation.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { SIGNALS_URL, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { startTransmitter, type Transmitter } from '#test/support/ssf-transmitter.ts';

export const IDP = 'https://idp.example.com';
export const SUBJECT = { format: 'iss_sub', iss: IDP, sub: 'mallory' };
export const DIRECTORY = '11111111-1111-4111-8111-111111111111';
export const GRAPH_CLIENT = 'watcher';

export type SignalWorld = {
  readonly registry: TestRegistry;
  readonly transmitter: Transmitter;
  /** Where the receiver really is. */
  url(): string;
  /** Another receiver over the same database, opened anew, in the place of the first. */
  restart(): Promise<void>;
  readonly secretsDirectory: string;
  /** How deliveries, events and notifications ended. */
  readonly outcomes: string[];
  /** Nothing can be read from the store. */
  isStoreAway: boolean;
  /** In the place of the registry's own, where a test says so. */
  record: RecordRevocation;
  /** Added to the clock of receiver and transmitter, milliseconds. */
  laterMs: number;
  configure(tenant: string, issuer: string, body: object): Promise<void>;
  push(token: string | Uint8Array<ArrayBuffer>, options?: PushOptions): Promise<Response>;
  marks(tenant?: string): Promise<readonly StoredRevocation[]>;
  stop(): Promise<void>;
};

type PushOptions = {
  readonly tenant?: string;
  readonly issuer?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export const sharedSignals = (transmitter: Transmitter, changes: object = {}): object => ({
  kind: 'oidc',
  issuer: IDP,
  relation: 'home',
  signals: {
    sharedSignals: { transmitter: transmitter.issuer, jwksUri: transmitter.keyServer.url, ...changes },
  },
});

export const watchedDirectory = (changes: object = {}): object => ({
  kind: 'entra',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  tokenEndpoint: 'https://login.example.com/{tenantid}/token',
  relation: 'home',
  directoryTenants: [DIRECTORY],
  signals: {
    graph: { clientId: GRAPH_CLIENT, secretName: 'graph', notifications: true, ...changes },
  },
});

const listen = async (app: FastifyInstance): Promise<string> => {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
};

const prepare = async ({ configure, transmitter }: Pick<SignalWorld, 'configure' | 'transmitter'>) => {
  for (const tenant of ['acme', 'beta']) {
    await configure(tenant, '', { displayName: tenant, accessContact: '' });
    await configure(tenant, 'home', sharedSignals(transmitter));
    await configure(tenant, 'entra', watchedDirectory());
    await configure(tenant, 'quiet', { kind: 'oidc', issuer: 'https://quiet.example.com', relation: 'home' });
  }
};

export const startSignalWorld = async (): Promise<SignalWorld> => {
  const directory = await mkdtemp(join(tmpdir(), 'signals-'));
  const path = join(directory, 'registry.db');
  const registry = await startTestRegistry({ allowPrivate: true, store: openSqliteStore(path, TEST_AUDIT) });
  const secretsDirectory = join(directory, 'secrets');
  const outcomes: string[] = [];
  const world = { laterMs: 0, isStoreAway: false, record: registry.context.recordRevocation };
  const nowMs = () => Date.now() + world.laterMs;
  const audience = addressesOf(SIGNALS_URL, 'acme', 'home').events;
  const transmitter = await startTransmitter('https://ssf.example.com', {
    audience,
    subject: SUBJECT,
    nowMs,
  });
  const { context } = registry;
  const { logger } = context;
  const fetchKeys = guardedFetch(createEgressGuard({ allowPrivate: true, allowedHosts: [] }));
  const keys = createTransmitterKeys((address) => createRemoteKeys({ ...address, logger, fetchKeys }));
  const open = async (store: Store): Promise<FastifyInstance> =>
    createSignalReceiver({
      store: {
        ...store,
        findTenant: async (tenantId) => {
          if (world.isStoreAway) throw new GatewayError('store_failed', 'disk gone');
          return store.findTenant(tenantId);
        },
      },
      keys: TEST_AUDIT.keys,
      record: (...request) => world.record(...request),
      logger,
      publicUrl: SIGNALS_URL,
      keysOf: keys.keysOf,
      secrets: createSecretStore(secretsDirectory),
      nowMs,
      newId: context.newId,
      onDelivery: (channel, outcome) => outcomes.push(`${channel} ${outcome}`),
      onEvent: (outcome) => outcomes.push(outcome),
      onNotification: (outcome) => outcomes.push(outcome),
    });
  let receiver = await open(registry.store);
  let url = await listen(receiver);
  let reopened: Store | undefined;
  const configure = async (tenant: string, issuer: string, body: object): Promise<void> => {
    const path = `/v1/tenants/${tenant}${issuer === '' ? '' : `/issuers/${issuer}`}`;
    const { etag } = await registry.call('GET', path);
    const headers: Record<string, string> = etag === '' ? {} : { 'if-match': etag };
    const answer = await registry.call('PUT', path, { body, headers });
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  };
  await prepare({ configure, transmitter });
  return Object.assign(world, {
    registry,
    transmitter,
    url: () => url,
    restart: async () => {
      await receiver.close();
      reopened = openSqliteStore(path, TEST_AUDIT);
      receiver = await open(reopened);
      url = await listen(receiver);
    },
    secretsDirectory,
    outcomes,
    configure,
    push: (
      body: string | Uint8Array<ArrayBuffer>,
      { tenant = 'acme', issuer = 'home', path = 'events', headers = {} }: PushOptions = {},
    ) =>
      fetch(`${url}/v1/signals/${tenant}/${issuer}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json', ...headers },
        body,
      }),
    marks: (tenant = 'acme') => registry.store.listRevocations(tenant, { limit: 100 }),
    stop: async () => {
      await receiver.close();
      await reopened?.close();
      keys.stop();
      await transmitter.stop();
      await registry.stop();
      await rm(directory, { recursive: true, force: true });
    },
  });
};

/** The error of a refused delivery (RFC 8935 §2.3). */
export const refusalOf = async (response: Response): Promise<readonly [number, string]> => {
  const { err } = (await response.json()) as { readonly err: string };
  return [response.status, err];
};

/** The client state that Graph is given for the channel of a tenant's directory. */
export const openGraphChannel = async ({ registry }: SignalWorld, tenantId: string): Promise<string> => {
  const { store } = registry;
  const open = createChannelAnswers({ store, keys: TEST_AUDIT.keys, publicUrl: SIGNALS_URL });
  const opened = await open({ tenantId, issuerId: 'entra' });
  if (!opened.ok) throw new Error(opened.error);
  return opened.value.clientState.reveal();
};

/** One as Graph sends it; a member that is undefined is left out. */
export const notification = (members: object): object => ({
  subscriptionId: '99999999-9999-4999-8999-999999999999',
  subscriptionExpirationDateTime: '2030-01-01T00:00:00.0000000Z',
  tenantId: DIRECTORY,
  ...members,
});

export const tell = (
  world: SignalWorld,
  value: readonly object[],
  { tenant = 'acme' }: { readonly tenant?: string } = {},
): Promise<Response> =>
  world.push(JSON.stringify({ value }), {
    tenant,
    issuer: 'entra',
    path: 'graph',
    headers: { 'content-type': 'application/json' },
  });

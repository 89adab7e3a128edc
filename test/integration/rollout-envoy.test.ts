// A change through the registry's API to the real Envoy and back: the real feed, the real xds-server, and the answer
// that says what Envoy made of it. Resources are spoiled on their way, because the registry lets no bad ones in.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { err } from '#core/result.ts';
import { packMessage } from '#protos/pack.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { RESOURCE_KINDS, TYPE_URLS } from '#xds-server/resource-kind.ts';
import { previewTenant } from '#xds-server/snapshot/preview.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { createStatusReporter } from '#xds-server/status-reporter.ts';

const SETTINGS = {
  displayName: 'Acme',
  accessContact: 'admin@acme.example',
  allowedOrigins: [],
  fourEyes: false,
};

const hosts = ['one', 'two'].map((name) => ({ name, domains: ['same.example'], routes: [] }));

/** Envoy refuses routes in which two virtual hosts share a domain. */
const spoilRoutes = (snapshot: ResourceSnapshot, tenantId: string): ResourceSnapshot => {
  const name = `tenant/${tenantId}`;
  const resource = snapshot.kinds.route.get(name);
  if (resource === undefined) return snapshot;
  const message = typedMessage('envoy.config.route.v3.RouteConfiguration', { name, virtual_hosts: hosts });
  // Spoiled anew by every change: the version follows the content that was to be.
  const bad = { ...resource, version: `bad-${resource.version}`, any: packMessage(message) };
  return {
    ...snapshot,
    kinds: { ...snapshot.kinds, route: new Map([...snapshot.kinds.route, [name, bad]]) },
  };
};

let directory: string;
let registry: TestRegistry;
let feed: FeedServer;
let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;
let tamper = (snapshot: ResourceSnapshot): ResourceSnapshot => snapshot;
/** What Envoys are told now. */
let told: ResourceSnapshot | undefined;
const stops: (() => unknown)[] = [];

const startFeed = async (address: Address): Promise<void> => {
  const logger = createLogger('registry', 'silent');
  feed = createFeedServer({ source: registry.store, logger, metrics: createMetrics('registry') });
  const stop = await startGrpcServer(address, [feed.service]);
  registry.preview = feed.preview;
  stops.push(
    feed.onReport(() => registry.report(feed.consumers())),
    () => feed.stop(),
    stop,
  );
};

const startConsumer = async (address: Address): Promise<void> => {
  const { xdsAddress, settings } = gateway;
  const reporter = createStatusReporter({
    publishedSequence: () => xds.publishedSequence(),
    nodes: () => xds.ads.nodes(),
    untranslated: () => [],
  });
  xds = await startXdsServer({
    address: xdsAddress,
    settings,
    tamper: (snapshot) => {
      told = tamper(snapshot);
      return told;
    },
    onStatus: reporter.changed,
  });
  const consumer = await startFeedConsumer({
    address,
    consumer: 'xds-server',
    stateFile: join(directory, 'xds.json'),
    logger: createLogger('xds-server', 'silent'),
    metrics: createMetrics('xds-server'),
    onSnapshot: xds.update,
    onPreview: (tenant) => previewTenant(tenant, { served: xds.served(), settings, facts: xds.facts() }),
  });
  reporter.start(consumer.report);
  stops.push(() => xds.stop(), consumer.stop);
};

const call = (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${path}`, { ...(body === undefined ? {} : { body }), headers });

const tag = async (path: string) => ({ 'if-match': (await call('GET', path)).etag });

const server = (displayName: string) => ({
  displayName,
  allowedHosts: [new URL(upstream.url).host],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
});

const version = (path = '') => ({
  endpoints: [`${upstream.url}${path}`],
  protocolVersions: ['2025-11-25'],
  tools: [{ name: 'list', inputSchema: { type: 'object' } }],
});

const ISSUER = {
  kind: 'entra',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  jwksUri: 'https://login.example.com/keys',
  tokenEndpoint: 'https://login.example.com/{tenantid}/token',
  relation: 'home',
  directoryTenants: ['11111111-1111-4111-8111-111111111111'],
};

const make = async (path: string, body: object): Promise<void> => {
  const { status, body: answer } = await call('PUT', path, body);
  if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
};

const furnish = async (tenant: string): Promise<void> => {
  await make(tenant, SETTINGS);
  await make(`${tenant}/issuers/home`, ISSUER);
  await make(`${tenant}/servers/files`, server('Files'));
  await make(`${tenant}/servers/files/versions/1.0.0`, version());
  await make(`${tenant}/servers/files/versions/2.0.0`, version('/second'));
};

const activate = async (tenant: string, name: string, query = ''): Promise<Answer> => {
  const path = `${tenant}/servers/files`;
  return call('PUT', `${path}/active-version${query}`, { version: name }, await tag(path));
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rollout-'));
  const address: Address = { kind: 'unix', path: join(directory, 'feed.sock') };
  registry = await startTestRegistry({ allowPrivate: true });
  upstream = await startUpstream('one');
  gateway = await startGateway();
  await startFeed(address);
  await startConsumer(address);
  await furnish('acme');
  await furnish('beta');
  await until('an Envoy is there', () => xds.ads.nodes().some(({ nodeId }) => nodeId !== ''), 30_000);
});

afterEach(() => {
  tamper = (snapshot) => snapshot;
});

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await gateway?.stop();
  await upstream?.stop();
  await registry?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a change that is waited for', () => {
  it('is answered once the real Envoy has it, and the rollout names the Envoy', async () => {
    const answer = await activate('acme', '1.0.0', '?wait=applied&waitSeconds=30');
    expect([answer.status, answer.headers.get('rollout-state')]).toEqual([200, 'applied']);
    const revision = (await call('GET', 'acme')).body.revision;
    const { body } = await call('GET', `acme/rollout/${revision}`);
    expect(body).toMatchObject({
      state: 'applied',
      consumers: [
        { consumer: 'xds-server', state: 'applied', nodes: [{ nodeId: 'test', state: 'applied' }] },
      ],
    });
  });

  it('is taken back when the real Envoy refuses it; other tenants go on', async () => {
    tamper = (snapshot) => spoilRoutes(snapshot, 'acme');
    const refused = await activate('acme', '2.0.0', '?wait=applied&waitSeconds=30');
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      type: 'urn:mcpgw:problem:rollout-rejected',
      rejected: [
        {
          nodeId: 'test',
          resource: 'tenant/acme',
          message: expect.stringContaining('Only unique values for domains are permitted'),
        },
      ],
      compensation: { restored: ['servers/files'], kept: [] },
    });
    expect((await call('GET', 'acme/servers/files')).body.activeVersion).toBe('1.0.0');
    const other = await activate('beta', '1.0.0', '?wait=applied&waitSeconds=30');
    expect([other.status, other.headers.get('rollout-state')]).toEqual([200, 'applied']);
    const revision = (await call('GET', 'beta')).body.revision;
    expect(JSON.stringify((await call('GET', `beta/rollout/${revision}`)).body)).not.toContain('acme');
  });
});

/** Names with their versions, type by type. */
const versionsTold = () =>
  RESOURCE_KINDS.map((kind) => ({
    typeUrl: TYPE_URLS[kind],
    versions: new Map([...(told?.kinds[kind] ?? [])].map(([name, { version }]) => [name, version])),
  }));

describe('a dry run', () => {
  const PATH = 'acme/servers/files';
  const dryRun = async (): Promise<Answer> =>
    call('DELETE', `${PATH}?dryRun=true`, undefined, await tag(PATH));

  it('names exactly the resources of Envoy that then change', async () => {
    const { envoy } = (await dryRun()).body as unknown as {
      envoy: { types: { typeUrl: string; added: string[]; changed: string[]; removed: string[] }[] };
    };
    const before = versionsTold();
    const removed = await call('DELETE', `${PATH}?wait=applied&waitSeconds=30`, undefined, await tag(PATH));
    expect([removed.status, removed.headers.get('rollout-state')]).toEqual([204, 'applied']);
    const effects = versionsTold().map(({ typeUrl, versions }, at) => {
      const old = before[at]?.versions ?? new Map<string, string>();
      const names = [...new Set([...old.keys(), ...versions.keys()])].sort();
      const kept = names.filter((name) => old.has(name) && versions.has(name));
      return {
        typeUrl,
        added: names.filter((name) => !old.has(name)),
        changed: kept.filter((name) => old.get(name) !== versions.get(name)),
        removed: names.filter((name) => !versions.has(name)),
      };
    });
    const isEffect = ({ added, changed, removed: gone }: (typeof effects)[number]): boolean =>
      added.length + changed.length + gone.length > 0;
    expect(envoy.types).toEqual(effects.filter(isEffect));
    expect(envoy.types.flatMap(({ removed: gone }) => gone)).toContain('mcp.acme.files.1.0.0');
  });

  it('is answered without Envoy when no xds-server is there', async () => {
    registry.preview = async () => err('no-xds-server');
    const path = 'beta/servers/files';
    const answer = await call('DELETE', `${path}?dryRun=true`, undefined, await tag(path));
    expect(answer).toMatchObject({
      status: 200,
      body: { dryRun: true, envoy: null, envoyUnknown: { because: 'no-xds-server' } },
    });
    registry.preview = feed.preview;
  });
});

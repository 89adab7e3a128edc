// The registry's API, its feed, and xds-servers that follow it, wired as the processes are, in one process: for tests
// that change something through the API and look at what real Envoys make of it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packMessage } from '#protos/pack.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import type { Address } from '#runtime/address.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { startXdsServer, type XdsServer } from '#test/support/xds-gateway.ts';
import { previewTenant } from '#xds-server/snapshot/preview.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { createStatusReporter } from '#xds-server/status-reporter.ts';
import { nodeConfig } from '#xds-server/stream/node-config.ts';

type XdsOptions = Parameters<typeof startXdsServer>[0];

export type ControlPlane = {
  readonly registry: TestRegistry;
  readonly feed: FeedServer;
  /** Starts one more xds-server on the feed. */
  startXds(
    name: string,
    options: XdsOptions,
  ): Promise<XdsServer & { readonly leaveFeed: () => Promise<void> }>;
  /** A call below `/v1/tenants/`. */
  call(method: string, path: string, body?: unknown, headers?: object): Promise<Answer>;
  /** The header that names the ETag of what is at a path. */
  tag(path: string): Promise<{ readonly 'if-match': string }>;
  /** Makes a tenant with a server `files` whose versions 1.0.0 and 2.0.0 both lead to the upstream. */
  furnish(tenant: string, upstreamUrl: string): Promise<void>;
  /** Puts a version of `files` into service. */
  activate(tenant: string, name: string, query?: string): Promise<Answer>;
  stop(): Promise<void>;
};

const SETTINGS = {
  displayName: 'Acme',
  accessContact: 'admin@acme.example',
  allowedOrigins: [],
  fourEyes: false,
};

const ISSUER = {
  kind: 'entra',
  issuer: 'https://login.example.com/{tenantid}/v2.0',
  jwksUri: 'https://login.example.com/keys',
  tokenEndpoint: 'https://login.example.com/{tenantid}/token',
  relation: 'home',
  directoryTenants: ['11111111-1111-4111-8111-111111111111'],
};

const server = (upstreamUrl: string) => ({
  displayName: 'Files',
  allowedHosts: [new URL(upstreamUrl).host],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
});

const version = (upstreamUrl: string, path = '') => ({
  endpoints: [`${upstreamUrl}${path}`],
  protocolVersions: ['2025-11-25'],
  tools: [{ name: 'list', inputSchema: { type: 'object' } }],
});

const hosts = ['one', 'two'].map((name) => ({ name, domains: ['same.example'], routes: [] }));

/** Envoy refuses routes in which two virtual hosts share a domain. */
export const spoilRoutes = (snapshot: ResourceSnapshot, tenantId: string): ResourceSnapshot => {
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

/** Nothing is in the registry, and no xds-server there. */
export const startControlPlane = async (): Promise<ControlPlane> => {
  const directory = await mkdtemp(join(tmpdir(), 'plane-'));
  const address: Address = { kind: 'unix', path: join(directory, 'feed.sock') };
  const stops: (() => unknown)[] = [() => rm(directory, { recursive: true, force: true })];
  const registry = await startTestRegistry({ allowPrivate: true });
  const logger = createLogger('registry', 'silent');
  const feed = createFeedServer({ source: registry.store, logger, metrics: createMetrics('registry') });
  const stopFeed = await startGrpcServer(address, [feed.service]);
  registry.preview = feed.preview;
  registry.nodeConfig = feed.nodeConfig;
  stops.push(
    registry.stop,
    feed.onReport(() => registry.report(feed.consumers())),
    () => feed.stop(),
    stopFeed,
  );

  const startXds: ControlPlane['startXds'] = async (name, options) => {
    const { settings } = options;
    const reporter = createStatusReporter({
      publishedSequence: () => xds.publishedSequence(),
      nodes: () => xds.ads.nodes(),
      gone: () => xds.ads.gone(),
      untranslated: () => [],
    });
    const xds = await startXdsServer({ ...options, onStatus: reporter.changed });
    const consumer = await startFeedConsumer({
      address,
      consumer: name,
      stateFile: join(directory, `${name.replace('/', '-')}.json`),
      logger: createLogger('xds-server', 'silent'),
      metrics: createMetrics('xds-server'),
      onSnapshot: xds.update,
      onNodeConfig: (question) => nodeConfig(xds.ads.clients(question.nodeId), question),
      onPreview: (tenant) => previewTenant(tenant, { served: xds.served(), settings, facts: xds.facts() }),
    });
    reporter.start(consumer.report);
    stops.push(() => xds.stop(), consumer.stop);
    return { ...xds, leaveFeed: consumer.stop };
  };

  const call: ControlPlane['call'] = (method, path, body, headers = {}) =>
    registry.call(method, `/v1/tenants/${path}`, {
      ...(body === undefined ? {} : { body }),
      headers: headers as Readonly<Record<string, string>>,
    });

  const tag: ControlPlane['tag'] = async (path) => ({ 'if-match': (await call('GET', path)).etag });

  const make = async (path: string, body: object): Promise<void> => {
    const { status, body: answer } = await call('PUT', path, body);
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
  };

  return {
    registry,
    feed,
    startXds,
    call,
    tag,
    furnish: async (tenant, upstreamUrl) => {
      await make(tenant, SETTINGS);
      await make(`${tenant}/issuers/home`, ISSUER);
      await make(`${tenant}/servers/files`, server(upstreamUrl));
      await make(`${tenant}/servers/files/versions/1.0.0`, version(upstreamUrl));
      await make(`${tenant}/servers/files/versions/2.0.0`, version(upstreamUrl, '/second'));
    },
    activate: async (tenant, name, query = '') => {
      const path = `${tenant}/servers/files`;
      return call('PUT', `${path}/active-version${query}`, { version: name }, await tag(path));
    },
    stop: async () => {
      for (const stop of stops.toReversed()) await stop();
    },
  };
};

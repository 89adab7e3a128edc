// The real ADS service on a socket of its own, told what to serve by name and mark: `{cluster: {a: '1'}}` is a cluster
// a whose content says 1. No registry and no Envoy, so that a table of the protocol runs within a second.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Json } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import type { Address } from '#runtime/address.ts';
import { type GrpcService, startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { XdsClient } from '#test/support/xds-client.ts';
import { NO_NODES_FILE, until } from '#test/support/xds-gateway.ts';
import { createAdmission } from '#xds-server/nodes/admission.ts';
import type { NodesFile } from '#xds-server/nodes/nodes-file.ts';
import { forEachKind, type ResourceKind, TYPE_URLS } from '#xds-server/resource-kind.ts';
import { packResource, type Resource, type ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { type Ads, createAds } from '#xds-server/stream/ads.ts';
import type { Protocol } from '#xds-server/stream/conversation.ts';

/** Marks by name, or what makes a resource more than that. */
export type Marks = Readonly<Record<string, string | MarkedResource>>;
export type MarkedResource = { readonly mark: string; readonly tenantId?: string; readonly needs?: string };
export type MarkedWorld = Partial<Readonly<Record<ResourceKind, Marks>>>;

const FIELDS: Partial<Record<ResourceKind, (name: string, mark: string) => Record<string, Json>>> = {
  cluster: (name, mark) => ({ name, alt_stat_name: mark }),
  endpoint: (name, mark) => ({ cluster_name: name, endpoints: [{ locality: { zone: mark } }] }),
  listener: (name, mark) => ({ name, stat_prefix: mark }),
  scope: (name, mark) => ({ name, route_configuration_name: mark }),
  route: (name, mark) => ({ name, internal_only_headers: [mark] }),
};

const markedResource = (kind: ResourceKind, name: string, marked: string | MarkedResource): Resource => {
  const { mark, ...facts } = typeof marked === 'string' ? { mark: marked } : marked;
  const type = TYPE_URLS[kind].replace('type.googleapis.com/', '');
  return packResource(name, typedMessage(type, FIELDS[kind]?.(name, mark) ?? { name }), facts);
};

export const markedSnapshot = (sequence: number, world: MarkedWorld): ResourceSnapshot => ({
  sequence,
  kinds: forEachKind(
    (kind) =>
      new Map(
        Object.entries(world[kind] ?? {}).map(([name, marked]) => [name, markedResource(kind, name, marked)]),
      ),
  ),
});

/** Counts the messages of clients as they arrive. */
const counting = ({ definition, implementation }: GrpcService, onMessage: () => void): GrpcService => ({
  definition,
  implementation: Object.fromEntries(
    Object.entries(implementation).map(([name, open]) => [
      name,
      (call: ServerDuplexStream<unknown, unknown>) => {
        (open as (call: ServerDuplexStream<unknown, unknown>) => void)(call);
        call.on('data', onMessage);
      },
    ]),
  ),
});

export type ProtocolServer = {
  readonly address: Address;
  readonly ads: Ads;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Serves this world, once everything that clients have said so far was heard. */
  serve(world: MarkedWorld): Promise<ResourceSnapshot>;
  /** From now on nobody knows whether what is served is still so. */
  loseRegistry(): void;
  connect(protocol: Protocol, nodeId?: string): XdsClient;
  stop(): Promise<void>;
};

export const startProtocolServer = async (nodes: NodesFile = NO_NODES_FILE): Promise<ProtocolServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'xds-protocol-'));
  const address: Address = { kind: 'unix', path: join(directory, 'x.sock') };
  const metrics = createMetrics('xds-server');
  const logger = createLogger('xds-server', process.env['XDS_TEST_LOG'] ?? 'silent');
  const admission = createAdmission({ nodes, isSecure: false, logger, metrics });
  let isCurrent = true;
  const ads = createAds({
    logger,
    metrics,
    admission,
    isCurrent: () => isCurrent,
    onStatus: () => undefined,
  });
  let heard = 0;
  const service = counting(ads.service, () => {
    heard += 1;
  });
  const stopGrpc = await startGrpcServer(address, [service]);
  const clients: XdsClient[] = [];
  let sequence = 0;
  return {
    address,
    ads,
    metrics,
    serve: async (world) => {
      await until('all was heard', () => heard === clients.reduce((sum, { said }) => sum + said, 0));
      sequence += 1;
      const snapshot = markedSnapshot(sequence, world);
      ads.publish(snapshot);
      return snapshot;
    },
    loseRegistry: () => {
      isCurrent = false;
    },
    connect: (protocol, nodeId) => {
      const client = new XdsClient(address, protocol, { id: nodeId ?? 'client' });
      clients.push(client);
      return client;
    },
    stop: async () => {
      for (const client of clients) client.close();
      ads.endStreams();
      await stopGrpc();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

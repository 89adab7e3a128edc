// The aggregated discovery service: every open stream, the node behind it, and the snapshot each is told.

import { randomBytes } from 'node:crypto';
import type { ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import type { EnvoyNodeStatus, GoneNode } from '#core/feed-message.ts';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { Admission } from '#xds-server/nodes/admission.ts';
import type { WireNode } from '#xds-server/nodes/claim.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import type { ClientStatus } from '#xds-server/stream/client-status.ts';
import { heardFromDelta } from '#xds-server/stream/delta-messages.ts';
import { createDepartures } from '#xds-server/stream/departures.ts';
import { encodeDelta, encodeSotw } from '#xds-server/stream/encode.ts';
import { type AnyRequest, type Dialect, EnvoyStream } from '#xds-server/stream/envoy-stream.ts';
import { createSeats, type Seat } from '#xds-server/stream/seats.ts';
import { heardFromSotw } from '#xds-server/stream/sotw-messages.ts';
import { createStreamMetrics } from '#xds-server/stream/stream-metrics.ts';
import type { DeltaRequest, SotwRequest } from '#xds-server/stream/wire.ts';

export type Ads = {
  readonly service: GrpcService;
  /** Tells every Envoy what concerns it, now and later, until the next call. */
  publish(snapshot: ResourceSnapshot): void;
  /** One entry per stream whose node was admitted. */
  nodes(): readonly EnvoyNodeStatus[];
  /** Nodes that were here and are no more, latest first. */
  gone(): readonly GoneNode[];
  /** One entry per such stream, or per one of that node: every resource of it. Of several of one node the last is latest. */
  clients(nodeId?: string): readonly (ClientStatus & { readonly nodeId: string })[];
  /** Ends every stream; Envoys keep what they have and come back. */
  endStreams(): void;
};

const DELTA: Dialect<DeltaRequest> = {
  protocol: 'delta',
  heard: heardFromDelta,
  response: encodeDelta,
};

const SOTW: Dialect<SotwRequest> = {
  protocol: 'sotw',
  heard: heardFromSotw,
  response: encodeSotw,
};

const withEncodedResponses = (definition: ServiceDefinition): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      { ...method, responseSerialize: (bytes: Buffer) => bytes },
    ]),
  );

/** Sets nonces apart from those of other processes. */
const PROCESS = randomBytes(4).toString('hex');

type Stream = Pick<EnvoyStream<AnyRequest>, 'publish' | 'status' | 'clientStatus' | 'end' | 'refuse'>;

/** The service, with nothing to tell yet: Envoys that connect wait. */
export const createAds = (options: {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly admission: Admission;
  /** Whether what is published is what the registry says now, as far as anybody knows. */
  readonly isCurrent: () => boolean;
  /** Called whenever `nodes()` may have changed, and after each publication. */
  readonly onStatus: () => void;
}): Ads => {
  const { logger, admission, isCurrent, onStatus } = options;
  const metrics = createStreamMetrics(options.metrics);
  const streams = new Set<Stream>();
  const seats = createSeats<Stream>(admission);
  const departures = createDepartures(Date.now);
  let opened = 0;

  const statusOf = ({ stream, node }: Seat<Stream>) => stream.status(node, seats.arrivalsOf(node));

  const leave = (stream: Stream): void => {
    const seat = seats.find(stream);
    if (seat === undefined) return;
    seats.leave(stream);
    const status = statusOf(seat);
    if (seats.list(status.nodeId).length === 0) departures.left(status);
  };

  const open =
    <Request extends AnyRequest>(dialect: Dialect<Request>) =>
    (call: ServerDuplexStream<Request, Buffer>): void => {
      const onEnd = (): void => {
        streams.delete(stream);
        leave(stream);
        metrics.nodes.set(streams.size);
        onStatus();
      };
      opened += 1;
      const nonces = `${PROCESS}-${opened}-`;
      const admit = (node: WireNode | null): string | undefined => {
        const refusal = seats.take(stream, node, call);
        if (refusal === undefined) departures.returned(node?.id ?? '');
        return refusal;
      };
      const stream = new EnvoyStream(call, dialect, {
        logger,
        metrics,
        nonces,
        admit,
        isCurrent,
        onStatus,
        onEnd,
      });
      streams.add(stream);
      metrics.nodes.set(streams.size);
    };

  return {
    service: {
      definition: withEncodedResponses(loadService('envoy.service.discovery.v3.AggregatedDiscoveryService')),
      implementation: { DeltaAggregatedResources: open(DELTA), StreamAggregatedResources: open(SOTW) },
    },
    publish: (snapshot) => {
      seats.publish(snapshot);
      // Nobody is waited for where no Envoy is, and that is to be told too.
      onStatus();
    },
    nodes: () => seats.list().map(statusOf),
    gone: departures.list,
    clients: (nodeId) => seats.list(nodeId).map(({ stream }) => stream.clientStatus()),
    endStreams: () => {
      for (const stream of streams) stream.end();
    },
  };
};

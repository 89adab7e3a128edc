// The aggregated discovery service: every open stream and the snapshot they are all told.

import { randomBytes } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { EnvoyNodeStatus } from '#core/feed-message.ts';
import { loadService } from '#protos/service.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { arrivalsAfter, NO_ARRIVALS } from '#xds-server/snapshot/arrivals.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import type { ClientStatus } from '#xds-server/stream/client-status.ts';
import { deltaFromTold, heardFromDelta } from '#xds-server/stream/delta-messages.ts';
import { type AnyRequest, type Dialect, EnvoyStream } from '#xds-server/stream/envoy-stream.ts';
import { heardFromSotw, sotwFromTold } from '#xds-server/stream/sotw-messages.ts';
import { createStreamMetrics } from '#xds-server/stream/stream-metrics.ts';
import type { DeltaRequest, DeltaResponse, SotwRequest, SotwResponse } from '#xds-server/stream/wire.ts';

export type Ads = {
  readonly service: GrpcService;
  /** Tells every Envoy, now and later, until the next call. */
  publish(snapshot: ResourceSnapshot): void;
  /** One entry per open stream. */
  nodes(): readonly EnvoyNodeStatus[];
  /** One entry per open stream: every resource of it. Of several streams of one node the latest is the last. */
  clients(): readonly (ClientStatus & { readonly nodeId: string })[];
  /** Ends every stream; Envoys keep what they have and come back. */
  endStreams(): void;
};

const DELTA: Dialect<DeltaRequest, DeltaResponse> = {
  protocol: 'delta',
  heard: heardFromDelta,
  response: deltaFromTold,
};

const SOTW: Dialect<SotwRequest, SotwResponse> = {
  protocol: 'sotw',
  heard: heardFromSotw,
  response: sotwFromTold,
};

/** Sets nonces apart from those of other processes. */
const PROCESS = randomBytes(4).toString('hex');

/** The service, with nothing to tell yet: Envoys that connect wait. */
export const createAds = (options: {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Called whenever `nodes()` may have changed. */
  readonly onStatus: () => void;
}): Ads => {
  const { logger, onStatus } = options;
  const metrics = createStreamMetrics(options.metrics);
  const streams = new Set<
    Pick<EnvoyStream<AnyRequest, unknown>, 'publish' | 'status' | 'clientStatus' | 'end'>
  >();
  let current: ResourceSnapshot | undefined;
  let arrivals = NO_ARRIVALS;
  let opened = 0;

  const open =
    <Request extends AnyRequest, Response>(dialect: Dialect<Request, Response>) =>
    (call: ServerDuplexStream<Request, Response>): void => {
      const onEnd = (): void => {
        streams.delete(stream);
        metrics.nodes.set(streams.size);
        onStatus();
      };
      opened += 1;
      const nonces = `${PROCESS}-${opened}-`;
      const stream = new EnvoyStream(call, dialect, { logger, metrics, nonces, onStatus, onEnd });
      streams.add(stream);
      metrics.nodes.set(streams.size);
      if (current !== undefined) stream.publish(current);
    };

  return {
    service: {
      definition: loadService('envoy.service.discovery.v3.AggregatedDiscoveryService'),
      implementation: { DeltaAggregatedResources: open(DELTA), StreamAggregatedResources: open(SOTW) },
    },
    publish: (snapshot) => {
      current = snapshot;
      arrivals = arrivalsAfter(arrivals, snapshot);
      for (const stream of streams) stream.publish(snapshot);
    },
    nodes: () => [...streams].map((stream) => stream.status(arrivals)),
    clients: () => [...streams].map((stream) => stream.clientStatus()),
    endStreams: () => {
      for (const stream of streams) stream.end();
    },
  };
};

// The registry's end of the feed: streams that follow the store, and a heartbeat that proves freshness.
// Knows the store only as a FeedSource.

import type { VersionFigures } from '#core/call-figures.ts';
import type { NodeConfigQuestion } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import { type ConsumerEntry, createConsumerBoard } from '#registry/feed/consumer-board.ts';
import type { FeedSource } from '#registry/feed/feed-source.ts';
import { type FeedStream, type RefusedMessage, serveFeedStream } from '#registry/feed/feed-stream.ts';
import { createNodeDesk, type NodeConfigOutcome } from '#registry/feed/node-desk.ts';
import { createPreviewDesk, type PreviewOutcome } from '#registry/feed/preview-desk.ts';
import { shareReads } from '#registry/feed/shared-reads.ts';
import type { FeedCall } from '#registry/feed/subscriber.ts';
import { FEED_SERVICE, HEARTBEAT_MS } from '#registry/feed/wire-message.ts';
import type { GrpcService } from '#runtime/grpc-server.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type FeedServer = {
  readonly service: GrpcService;
  /** Who is, or was, on the feed. */
  consumers(): readonly ConsumerEntry[];
  /** Calls `listener` whenever a consumer came, went or reported; returns what ends that. */
  onReport(listener: () => void): () => void;
  /** Calls `listener` with what Envoys counted of calls, as reports bring it; returns what ends that. */
  onFigures(listener: (versions: readonly VersionFigures[]) => void): () => void;
  /** Asks a consumer that translates for Envoy what would change if the tenant were like this. Never rejects. */
  preview(tenant: Tenant): Promise<PreviewOutcome>;
  /** Asks the xds-server of that name what an Envoy of its is to have and has. Never rejects. */
  nodeConfig(consumer: string, question: NodeConfigQuestion): Promise<NodeConfigOutcome>;
  /** Ends every stream, so that the server can close. */
  stop(): void;
};

const listConsumers = (
  entries: readonly ConsumerEntry[],
  streams: Iterable<FeedStream>,
): readonly ConsumerEntry[] => {
  const sent = new Map([...streams].map(({ consumer, subscriber }) => [consumer, subscriber.position()]));
  return entries.map((entry) => ({
    ...entry,
    sentSequence: sent.get(entry.consumer) ?? entry.sentSequence,
  }));
};

/** Builds the feed over `source`. Bind its `service` with startGrpcServer; stop it before that server. */
export const createFeedServer = (parts: {
  readonly source: FeedSource;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How often it speaks when nothing changes, milliseconds. */
  readonly heartbeatMs?: number;
  /** How long the answer to a question is waited for, milliseconds. */
  readonly answerLimitMs?: number;
}): FeedServer => {
  const { source, logger, metrics, heartbeatMs = HEARTBEAT_MS, answerLimitMs } = parts;
  const connected = metrics.gauge('feed_consumers', 'Consumers connected to the registry feed.');
  const refusals = metrics.counter('feed_refused_messages_total', 'Messages of consumers refused.', ['kind']);
  const streams = new Map<FeedCall, FeedStream>();
  const figureListeners = new Set<(versions: readonly VersionFigures[]) => void>();
  const board = createConsumerBoard();
  const previews = createPreviewDesk(answerLimitMs);
  const nodes = createNodeDesk(answerLimitMs);
  const reads = shareReads(source);
  const desk = {
    source,
    readAfter: reads.readAfter,
    logger,
    board,
    streams,
    previews,
    nodes,
    onRefused: (kind: RefusedMessage) => refusals.inc({ kind }),
    onStreamsChanged: () => connected.set(streams.size),
    onFigures: (versions: readonly VersionFigures[]) => {
      for (const listener of figureListeners) listener(versions);
    },
  };
  const wakeAll = (): void => {
    reads.forget();
    for (const { subscriber } of streams.values()) subscriber.wake();
  };
  const endListening = source.onCommit(wakeAll);
  // Beside proving freshness this brings what another process has committed to the same store.
  const heartbeat = setInterval(wakeAll, heartbeatMs).unref();
  const implementation = { Subscribe: (call: FeedCall) => serveFeedStream(desk, call) };
  return {
    service: { definition: FEED_SERVICE, implementation },
    consumers: () => listConsumers(board.list(), streams.values()),
    onReport: board.onChange,
    onFigures: (listener) => {
      figureListeners.add(listener);
      return () => void figureListeners.delete(listener);
    },
    preview: previews.ask,
    nodeConfig: nodes.ask,
    stop: () => {
      endListening();
      clearInterval(heartbeat);
      for (const call of streams.keys()) call.end();
    },
  };
};

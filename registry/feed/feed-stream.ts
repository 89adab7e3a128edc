// One stream of the feed from its first message to its end: who subscribes, from where, and what it reports back.

import { isDeepStrictEqual } from 'node:util';
import { status as grpcStatus } from '@grpc/grpc-js';
import type { VersionFigures } from '#core/call-figures.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { ConsumerBoard } from '#registry/feed/consumer-board.ts';
import type { FeedItem, FeedSource } from '#registry/feed/feed-source.ts';
import type { NodeDesk } from '#registry/feed/node-desk.ts';
import type { PreviewDesk } from '#registry/feed/preview-desk.ts';
import { parseConsumerStatus } from '#registry/feed/schema/parse-message.ts';
import { withKnownPaces } from '#registry/feed/status-paces.ts';
import { createSubscriber, type FeedCall, type Subscriber } from '#registry/feed/subscriber.ts';
import type { FromConsumer } from '#registry/feed/wire-message.ts';
import type { Logger } from '#runtime/logger.ts';

const CONSUMER_NAME = /^[a-z][a-z0-9-]{0,31}(\/[A-Za-z0-9._-]{1,32})?$/;

type Subscribe = Extract<FromConsumer, { message: 'subscribe' }>['subscribe'];

export type FeedStream = { readonly consumer: string; readonly subscriber: Subscriber };

/** Kinds of messages that are refused; the labels of a metric. */
export type RefusedMessage = 'subscribe' | 'status' | 'preview' | 'node' | 'policy';

/** What all streams of one server share. */
export type FeedDesk = {
  readonly source: FeedSource;
  /** Reads the source, once for several streams that ask for the same. */
  readonly readAfter: FeedSource['readAfter'];
  readonly logger: Logger;
  readonly board: ConsumerBoard;
  readonly streams: Map<FeedCall, FeedStream>;
  readonly previews: PreviewDesk;
  readonly nodes: NodeDesk;
  readonly onRefused: (kind: RefusedMessage) => void;
  readonly onStreamsChanged: () => void;
  /** What Envoys behind a consumer counted since its last report. */
  readonly onFigures: (versions: readonly VersionFigures[]) => void;
};

const fail = (call: FeedCall, code: number, details: string): void => {
  if (!call.cancelled && !call.destroyed) call.emit('error', { code, details });
};

/** A copy of another database, or one from the future of this one (restored from a backup), cannot be continued. */
const mustReset = async (source: FeedSource, subscribe: Subscribe): Promise<boolean> =>
  subscribe.epoch !== source.epoch || Number(subscribe.sequence) > (await source.lastSequence());

const enter = (desk: FeedDesk, call: FeedCall, stream: FeedStream): void => {
  const { consumer, subscriber } = stream;
  const known = desk.board.find(consumer);
  desk.streams.set(call, stream);
  desk.board.set({
    consumer,
    connected: true,
    since: new Date().toISOString(),
    sentSequence: subscriber.position(),
    status: known?.status ?? null,
    reportedAt: known?.reportedAt ?? null,
  });
  desk.onStreamsChanged();
};

const leave = (desk: FeedDesk, call: FeedCall): void => {
  const stream = desk.streams.get(call);
  if (stream === undefined) return;
  desk.streams.delete(call);
  desk.previews.closed(call);
  desk.nodes.closed(call);
  desk.onStreamsChanged();
  const { consumer, subscriber } = stream;
  desk.logger.info({ consumer }, 'feed consumer gone');
  const entry = desk.board.find(consumer);
  const isReplaced = [...desk.streams.values()].some((other) => other.consumer === consumer);
  if (entry === undefined || isReplaced) return;
  const sentSequence = subscriber.position();
  desk.board.set({ ...entry, connected: false, since: new Date().toISOString(), sentSequence });
};

/** What came to the feed later than its first consumers is sent to those who say that they take it. */
const unasked = ({ revocations, drift }: Subscribe): ReadonlySet<FeedItem['kind']> =>
  new Set([
    ...(revocations === true ? [] : (['revocation'] as const)),
    ...(drift === true ? [] : (['drift'] as const)),
  ]);

const accept = async (desk: FeedDesk, call: FeedCall, subscribe: Subscribe): Promise<void> => {
  const { source, readAfter, logger } = desk;
  const { consumer, sequence } = subscribe;
  const reset = await mustReset(source, subscribe);
  // The peer may have left while the store was asked; a stream entered now would never be taken off the list.
  if (call.cancelled || call.writableEnded) return;
  const takes = { node_facts: true, paces: true, answer_figures: true };
  call.write({ message: 'hello', hello: { epoch: source.epoch, reset, ...takes } });
  const onFailure = (thrown: unknown): void => {
    if (call.cancelled || !desk.streams.has(call)) return;
    logger.error({ consumer, error: GatewayError.from(thrown).message }, 'feed stream failed');
    fail(call, grpcStatus.UNAVAILABLE, 'the registry cannot read its store');
  };
  const position = reset ? 0 : Number(sequence);
  const subscriber = createSubscriber({ call, readAfter, without: unasked(subscribe), position, onFailure });
  enter(desk, call, { consumer, subscriber });
  if (subscribe.previews === true) desk.previews.opened(call);
  if (subscribe.node_configs === true) desk.nodes.opened(call, consumer);
  logger.info({ consumer, reset, sequence }, 'feed consumer connected');
  subscriber.wake();
};

/** Figures come every second; a report that says nothing else new is not worth a look of those who wait for rollouts. */
const takeStatus = (desk: FeedDesk, consumer: string, bytes: Buffer): void => {
  const parsed = parseConsumerStatus(bytes);
  const entry = desk.board.find(consumer);
  if (!parsed.ok || entry === undefined) {
    desk.onRefused('status');
    return;
  }
  const { figures, ...said } = parsed.value;
  const status = withKnownPaces(said, entry.status);
  if (figures !== undefined) desk.onFigures(figures.versions);
  if (figures !== undefined && isDeepStrictEqual(status, entry.status)) return;
  desk.board.set({ ...entry, status, reportedAt: new Date().toISOString() });
};

/** One that comes too late is nobody's fault, and one that nobody asked for is not told from it. */
const takeAnswer = (desk: FeedDesk, call: FeedCall, received: FromConsumer): void => {
  if (received.message === 'preview_answer' && !desk.previews.answered(call, received.preview_answer))
    desk.onRefused('preview');
  if (received.message === 'node_answer' && !desk.nodes.answered(call, received.node_answer))
    desk.onRefused('node');
};

type PolicyQuestion = Extract<FromConsumer, { message: 'policy_question' }>['policy_question'];

/** What the store cannot say at the moment is not answered: the consumer asks again. */
const answerPolicy = async (desk: FeedDesk, call: FeedCall, question: PolicyQuestion): Promise<void> => {
  const { tenant, digest } = question;
  const found = await desk.source.findPolicyBundle(tenant, digest);
  if (call.cancelled || call.destroyed || call.writableEnded) return;
  const bundle = found === undefined ? Buffer.alloc(0) : Buffer.from(found.bytes);
  call.write({ message: 'policy_bundle', policy_bundle: { tenant, digest, bundle } });
};

/** One at a time for each stream: what a slow peer has not read yet lies in memory here. */
const createPolicyAnswers = (desk: FeedDesk, call: FeedCall) => {
  let isBusy = false;
  return (question: PolicyQuestion): void => {
    if (isBusy) {
      desk.onRefused('policy');
      return;
    }
    isBusy = true;
    answerPolicy(desk, call, question)
      .catch(() => desk.onRefused('policy'))
      .finally(() => {
        isBusy = false;
      });
  };
};

/** Serves a stream until either side ends it. */
export const serveFeedStream = (desk: FeedDesk, call: FeedCall): void => {
  let subscribed = false;
  const takePolicyQuestion = createPolicyAnswers(desk, call);
  const subscribe = (message: Subscribe): void => {
    if (subscribed || !CONSUMER_NAME.test(message.consumer)) {
      desk.onRefused('subscribe');
      fail(call, grpcStatus.INVALID_ARGUMENT, 'expected one subscribe message with a consumer name');
      return;
    }
    subscribed = true;
    accept(desk, call, message).catch(() =>
      fail(call, grpcStatus.UNAVAILABLE, 'the registry cannot read its store'),
    );
  };
  call.on('data', (received: FromConsumer) => {
    const consumer = desk.streams.get(call)?.consumer;
    if (received.message === 'subscribe') subscribe(received.subscribe);
    else if (received.message === 'status' && consumer !== undefined)
      takeStatus(desk, consumer, received.status.status);
    else if (received.message === 'preview_answer' || received.message === 'node_answer')
      takeAnswer(desk, call, received);
    else if (received.message === 'policy_question' && consumer !== undefined)
      takePolicyQuestion(received.policy_question);
    else desk.onRefused('status');
  });
  call.on('error', () => leave(desk, call));
  call.on('cancelled', () => leave(desk, call));
  call.on('end', () => {
    leave(desk, call);
    call.end();
  });
};

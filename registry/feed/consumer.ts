// A service's end of the registry's feed: the current snapshot in memory, its copy on disk, and a connection that is
// dialled again for as long as the service lives. With the registry away the last good snapshot goes on being served.

import type { ConsumerStatus, FeedEvent } from '#core/feed-message.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { Result } from '#core/result.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { type Answerers, answerTo, isQuestion, type RegistryQuestion } from '#registry/feed/answers.ts';
import { backoffMs } from '#registry/feed/backoff.ts';
import { type BundleQuestion, createBundleRequests, type NoBundle } from '#registry/feed/bundle-requests.ts';
import { type FeedConnection, openFeedConnection } from '#registry/feed/connection.ts';
import { type ConsumerMetrics, createConsumerMetrics } from '#registry/feed/consumer-metrics.ts';
import type { TenantPatch } from '#registry/feed/feed-source.ts';
import { createFreshness } from '#registry/feed/freshness.ts';
import {
  copyFromDisk,
  EMPTY_COPY,
  onCaughtUp,
  onChange,
  onHello,
  onPatch,
  onUnreadableChange,
  type ReceivedCopy,
} from '#registry/feed/received-copy.ts';
import { parseFeedEvent, parseTenantChange, tenantIdOf } from '#registry/feed/schema/parse-message.ts';
import { createSeenEvents } from '#registry/feed/seen-events.ts';
import { loadSnapshotFile } from '#registry/feed/snapshot-file.ts';
import { createSnapshotKeeper, type SnapshotKeeper } from '#registry/feed/snapshot-keeper.ts';
import { keptStatus } from '#registry/feed/status-paces.ts';
import type { FromRegistry } from '#registry/feed/wire-message.ts';
import type { Address } from '#runtime/address.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

export type FeedState = {
  readonly snapshot: Snapshot;
  /** ms since the epoch of the last time the registry said that `snapshot` is current; 0 for never. */
  readonly freshAtMs: number;
  readonly connected: boolean;
  readonly source: 'none' | 'disk' | 'feed';
};

export type FeedConsumer = {
  current(): FeedState;
  /**
   * Tells the registry what this service serves. Kept and sent again on every new connection, except for figures: they
   * are sent once.
   * @returns false if the registry is away and figures in it reached nobody.
   */
  report(status: ConsumerStatus): boolean;
  /** A bundle of a tenant's policy, whose bytes are those of the digest. Never rejects. */
  fetchBundle(question: BundleQuestion): Promise<Result<Buffer, NoBundle>>;
  stop(): Promise<void>;
};

export type FeedConsumerOptions = Answerers & {
  readonly address: Address;
  /** Required for an address with peers. */
  readonly tls?: InternalTls | undefined;
  /** Service and process, e.g. `ext-authz` or `ext-authz/1`. */
  readonly consumer: string;
  /** Where the last good snapshot is kept; a file of this process alone. */
  readonly stateFile: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /**
   * Called with the copy from disk, if there is one, before the consumer is returned; then after the first catch-up
   * and after every change, once for changes that arrive together. A reset (another database behind the registry)
   * may take the sequence back.
   */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** Called once for each event. */
  readonly onEvent?: (event: FeedEvent) => void;
};

class Consumer implements FeedConsumer {
  readonly #options: FeedConsumerOptions;
  readonly #keeper: SnapshotKeeper;
  readonly #metrics: ConsumerMetrics;
  readonly #isNewEvent = createSeenEvents();
  readonly #freshness = createFreshness();
  readonly #bundles = createBundleRequests(
    (question) => this.#connected && this.#connection?.askBundle(question) === true,
  );
  #copy: ReceivedCopy = EMPTY_COPY;
  #source: FeedState['source'] = 'none';
  #connected = false;
  #connection: FeedConnection | undefined;
  #status: ConsumerStatus | undefined;
  #failures = 0;
  #notifying = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;

  readonly fetchBundle: FeedConsumer['fetchBundle'] = (question) => this.#bundles.fetch(question);

  constructor(options: FeedConsumerOptions) {
    this.#options = options;
    this.#keeper = createSnapshotKeeper(options.stateFile, options.logger);
    this.#metrics = createConsumerMetrics(options.metrics, () => ({
      connected: this.#connected,
      sequence: this.#copy.published.sequence,
      freshAtMs: this.#freshness.atMs(),
      unreadableTenants: this.#copy.unreadable.size,
    }));
  }

  async start(): Promise<void> {
    const { stateFile, logger } = this.#options;
    const saved = await loadSnapshotFile(stateFile, Date.now());
    if (!saved.ok) logger.warn({ stateFile, fault: saved.error }, 'snapshot copy on disk ignored');
    else if (saved.value !== undefined) {
      const { epoch, position, snapshot, freshAtMs } = saved.value;
      this.#copy = copyFromDisk(epoch, position, snapshot);
      this.#freshness.restore(freshAtMs);
      this.#source = 'disk';
      this.#metrics.refresh();
      logger.info({ sequence: snapshot.sequence }, 'serving the snapshot copy on disk');
      this.#tellSnapshot();
    }
    this.#connect();
  }

  current(): FeedState {
    return {
      snapshot: this.#copy.published,
      freshAtMs: this.#freshness.atMs(),
      connected: this.#connected,
      source: this.#source,
    };
  }

  report(status: ConsumerStatus): boolean {
    this.#status = keptStatus(status, this.#status);
    if (!this.#connected) return false;
    this.#connection?.send(status);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#bundles.lost();
    clearTimeout(this.#retry);
    this.#connection?.close();
    await this.#connection?.ended;
    this.#metrics.stop();
    await this.#keeper.stop();
  }

  #connect(): void {
    const { address, tls, consumer, onPreview, onNodeConfig } = this.#options;
    const previews = onPreview !== undefined;
    const nodeConfigs = onNodeConfig !== undefined;
    const { epoch, position } = this.#copy;
    const subscription = { consumer, epoch, position, previews, nodeConfigs, tls };
    const connection = openFeedConnection(address, subscription, (message) => this.#receive(message));
    this.#connection = connection;
    void connection.ended.then((reason) => this.#reconnect(reason));
  }

  #tellLoss(reason: string): void {
    const served =
      this.#copy.published.sequence === 0 ? 'nothing to serve yet' : 'serving the last good snapshot';
    const what = this.#connected ? 'registry feed lost' : 'registry not reached';
    this.#options.logger.warn({ reason }, `${what}; ${served}`);
  }

  #reconnect(reason: string): void {
    if (this.#stopped) return;
    if (this.#connected || this.#failures === 0) this.#tellLoss(reason);
    this.#connected = false;
    this.#bundles.lost();
    this.#metrics.disconnected();
    this.#retry = setTimeout(() => this.#connect(), backoffMs(this.#failures, Math.random()));
    this.#failures += 1;
  }

  #receive(received: FromRegistry): void {
    if (received.message === 'hello') this.#onHello(received.hello);
    else if (received.message === 'change') this.#onChange(received.change);
    else if (received.message === 'event') this.#onEvent(received.event);
    else if (isQuestion(received)) this.#onQuestion(received);
    else if (received.message === 'policy_bundle') this.#bundles.answered(received.policy_bundle);
    else if (received.message === 'caught_up') this.#onCaughtUp(Number(received.caught_up.sequence));
    else this.#metrics.refused('unknown');
  }

  #onHello(hello: { readonly epoch: string; readonly reset: boolean }): void {
    const { logger } = this.#options;
    if (hello.reset && this.#copy.epoch !== '')
      logger.warn({ epoch: hello.epoch }, 'the registry cannot continue our copy; starting anew');
    this.#copy = onHello(this.#copy, hello);
    this.#connected = true;
    if (this.#status !== undefined) this.#connection?.send(this.#status);
  }

  #onChange(bytes: Buffer): void {
    const change = parseTenantChange(bytes);
    if (!change.ok) {
      const tenantId = tenantIdOf(bytes) ?? '';
      this.#tellUnreadable(tenantId, change.error);
      this.#copy = onUnreadableChange(this.#copy, tenantId);
    } else if (change.value.kind === 'patch') this.#onPatch(change.value);
    else this.#copy = onChange(this.#copy, change.value);
  }

  #onPatch(patch: TenantPatch): void {
    const { copy, fault, mustReconnect } = onPatch(this.#copy, patch);
    this.#copy = copy;
    if (fault !== undefined) this.#tellUnreadable(patch.tenantId, fault);
    if (mustReconnect) this.#connection?.close();
  }

  #tellUnreadable(tenantId: string, fault: string): void {
    this.#metrics.refused('change');
    this.#options.logger.error({ tenantId, fault }, 'tenant change not understood; last good kept');
  }

  #onEvent(bytes: Buffer): void {
    const event = parseFeedEvent(bytes);
    if (event.ok) {
      if (this.#isNewEvent(event.value.id))
        this.#guarded('onEvent', () => this.#options.onEvent?.(event.value));
      return;
    }
    this.#metrics.refused('event');
    this.#options.logger.error({ fault: event.error }, 'feed event not understood');
  }

  #onQuestion(question: RegistryQuestion): void {
    this.#guarded(question.message, () => {
      const answer = answerTo(question, this.#options);
      if (answer === 'unreadable') this.#metrics.refused('question');
      else if (answer !== undefined) this.#connection?.answer(answer);
    });
  }

  #onCaughtUp(sequence: number): void {
    const before = this.#copy;
    this.#copy = onCaughtUp(before, sequence);
    const isFirst = this.#source !== 'feed';
    if (isFirst) this.#options.logger.info({ sequence }, 'caught up with the registry');
    this.#source = 'feed';
    this.#failures = 0;
    if (this.#copy.unreadable.size === 0) this.#freshness.confirm();
    const { epoch, position, published } = this.#copy;
    this.#keeper.keep({ epoch, position, snapshot: published, freshAtMs: this.#freshness.atMs() });
    if (isFirst || published !== before.published) this.#scheduleSnapshot();
  }

  /** Catch-ups that arrive in one turn of the event loop are told once. */
  #scheduleSnapshot(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    setImmediate(() => {
      this.#notifying = false;
      if (!this.#stopped) this.#tellSnapshot();
    });
  }

  #tellSnapshot(): void {
    this.#guarded('onSnapshot', () => this.#options.onSnapshot(this.#copy.published));
  }

  /** A listener that throws must not end the feed: the next snapshot may be the one that mends it. */
  #guarded(listener: string, run: () => void): void {
    try {
      run();
    } catch (thrown) {
      const { message: error, stack } = GatewayError.from(thrown);
      this.#options.logger.error({ listener, error, stack }, 'feed listener failed');
    }
  }
}

/**
 * Starts a consumer. Resolves once the copy on disk, if any, is served; it does not wait for the registry.
 * Never throws for a registry that is away or a copy that is broken: both are logged and counted.
 */
export const startFeedConsumer = async (options: FeedConsumerOptions): Promise<FeedConsumer> => {
  const consumer = new Consumer(options);
  await consumer.start();
  // Handed on one by one (`onStop(feed.stop)`), so none may depend on `this`.
  return {
    current: () => consumer.current(),
    report: (status) => consumer.report(status),
    fetchBundle: (question) => consumer.fetchBundle(question),
    stop: () => consumer.stop(),
  };
};

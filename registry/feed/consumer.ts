// A service's end of the registry's feed: the current snapshot in memory, its copy on disk, and a connection that is
// dialled again for as long as the service lives. With the registry away the last good snapshot goes on being served.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerStatus } from '#core/feed-message.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { answerTo, isQuestion, type RegistryQuestion } from '#registry/feed/answers.ts';
import { backoffMs } from '#registry/feed/backoff.ts';
import { createBundleRequests } from '#registry/feed/bundle-requests.ts';
import { type FeedConnection, openFeedConnection } from '#registry/feed/connection.ts';
import { type ConsumerMetrics, createConsumerMetrics } from '#registry/feed/consumer-metrics.ts';
import type { FeedConsumer, FeedConsumerOptions, FeedState } from '#registry/feed/feed-consumer.ts';
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
import { createReceivedState, type ReceivedState, type StateMessage } from '#registry/feed/received-state.ts';
import { parseFeedEvent, parseTenantChange, tenantIdOf } from '#registry/feed/schema/parse-message.ts';
import { createSeenEvents } from '#registry/feed/seen-events.ts';
import { loadSnapshotFile } from '#registry/feed/snapshot-file.ts';
import { createSnapshotKeeper, type SnapshotKeeper } from '#registry/feed/snapshot-keeper.ts';
import { keptStatus } from '#registry/feed/status-paces.ts';
import type { FromRegistry } from '#registry/feed/wire-message.ts';

class Consumer implements FeedConsumer {
  readonly #options: FeedConsumerOptions;
  readonly #keeper: SnapshotKeeper;
  readonly #metrics: ConsumerMetrics;
  readonly #isNewEvent = createSeenEvents();
  readonly #freshness = createFreshness();
  readonly #settled = Promise.withResolvers<void>();
  readonly #state: ReceivedState;
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
    const { onRevocations, takesDrift = false } = options;
    this.#state = createReceivedState({
      onRevocations:
        onRevocations && ((arrived) => this.#guarded('onRevocations', () => onRevocations(arrived))),
      drift: takesDrift,
    });
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
      const isWhole = this.#state.restore(saved.value);
      this.#copy = copyFromDisk(epoch, isWhole ? position : 0, snapshot);
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
      revocations: this.#state.revocations,
      drift: this.#state.drift(),
      freshAtMs: this.#freshness.atMs(),
      connected: this.#connected,
      source: this.#source,
    };
  }

  async settled(limitMs: number): Promise<void> {
    await Promise.race([this.#settled.promise, sleep(limitMs, undefined, { ref: false })]);
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
    const {
      address,
      tls,
      consumer,
      onPreview,
      onNodeConfig,
      onRevocations,
      takesDrift: drift = false,
    } = this.#options;
    const previews = onPreview !== undefined;
    const nodeConfigs = onNodeConfig !== undefined;
    const revocations = onRevocations !== undefined;
    const { epoch, position } = this.#copy;
    const subscription = { consumer, epoch, position, previews, nodeConfigs, revocations, drift, tls };
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
    this.#settled.resolve();
    this.#bundles.lost();
    this.#metrics.disconnected();
    this.#retry = setTimeout(() => this.#connect(), backoffMs(this.#failures, Math.random()));
    this.#failures += 1;
  }

  #receive(received: FromRegistry): void {
    if (received.message === 'hello') this.#onHello(received.hello);
    else if (received.message === 'change') this.#onChange(received.change);
    else if (received.message === 'event') this.#onEvent(received.event);
    else if (received.message === 'revocation') this.#onState('revocation', received.revocation);
    else if (received.message === 'drift') this.#onState('drift', received.drift);
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
    this.#state.began(this.#copy.position === 0);
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

  /** What cannot be understood leaves the copy behind: its age tells, and the next connection asks for it again. */
  #onState(kind: StateMessage, bytes: Buffer): void {
    if (this.#state.receive(kind, bytes)) return;
    this.#metrics.refused(kind);
    this.#options.logger.error(`${kind} not understood`);
    this.#copy = onUnreadableChange(this.#copy, '');
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
    this.#state.caughtUp();
    const isFirst = this.#source !== 'feed';
    if (isFirst) this.#options.logger.info({ sequence }, 'caught up with the registry');
    this.#source = 'feed';
    this.#failures = 0;
    this.#settled.resolve();
    if (this.#copy.unreadable.size === 0) this.#freshness.confirm();
    const { epoch, position, published } = this.#copy;
    const freshAtMs = this.#freshness.atMs();
    this.#keeper.keep({ epoch, position, snapshot: published, freshAtMs, ...this.#state.kept() });
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
    settled: (limitMs) => consumer.settled(limitMs),
    report: (status) => consumer.report(status),
    fetchBundle: (question) => consumer.fetchBundle(question),
    stop: () => consumer.stop(),
  };
};

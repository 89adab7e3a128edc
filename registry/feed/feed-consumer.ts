// A service's end of the registry's feed as the service sees it: what it holds, how it came by it, and what it is told.

import type { DriftState } from '#core/drift-book.ts';
import type { ConsumerStatus, FeedEvent } from '#core/feed-message.ts';
import type { Result } from '#core/result.ts';
import type { Revocation } from '#core/revocation.ts';
import type { RevocationBook } from '#core/revocation-book.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Answerers } from '#registry/feed/answers.ts';
import type { BundleQuestion, NoBundle } from '#registry/feed/bundle-requests.ts';
import type { Address } from '#runtime/address.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';

export type FeedState = {
  readonly snapshot: Snapshot;
  /** Empty where the service does not take revocations. */
  readonly revocations: RevocationBook;
  /** Likewise; another object whenever it changes. */
  readonly drift: DriftState;
  /** ms since the epoch of the last time the registry said that all of this is current; 0 for never. */
  readonly freshAtMs: number;
  readonly connected: boolean;
  readonly source: 'none' | 'disk' | 'feed';
};

export type FeedConsumer = {
  current(): FeedState;
  /** Resolves when the registry has said that all of it is current, or cannot be reached, or after this long. */
  settled(limitMs: number): Promise<void>;
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
  /** Called with revocations as they come; absent: this service is told none. Those of the copy from disk are not told. */
  readonly onRevocations?: (revocations: readonly Revocation[]) => void;
  /** True: this service is told which tools drift. */
  readonly takesDrift?: boolean;
};

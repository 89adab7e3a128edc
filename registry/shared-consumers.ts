// Consumers are connected to one registry each; this tells every registry of one database of all of them. What is seen
// here is written soon after it changed and every few seconds, so that a registry that died is known by its silence.

import { GatewayError } from '#core/gateway-error.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import type { FeedServer } from '#registry/feed/server.ts';
import { HEARTBEAT_MS } from '#registry/feed/wire-message.ts';
import { mergeConsumers } from '#registry/rollout/merge-consumers.ts';
import type { Store } from '#registry/store/store.ts';
import type { Logger } from '#runtime/logger.ts';

/** Reports of Envoys come in swarms; one write tells of all of them. */
const WRITE_AFTER_MS = 200;

export type SharedConsumers = {
  /** Everybody, at whichever registry. @throws GatewayError `store_failed`. */
  list(): Promise<readonly ConsumerEntry[]>;
  /** Says that this registry sees nobody any more. Call it before the store is closed. */
  stop(): Promise<void>;
};

type Parts = {
  readonly store: Pick<Store, 'reportConsumers' | 'listConsumers'>;
  readonly feed: Pick<FeedServer, 'consumers' | 'onReport'>;
  readonly logger: Logger;
  /** Names this process; another one after every start. */
  readonly replica: string;
  readonly nowMs: () => number;
};

/** A write that fails is not tried again by itself: the next one says more. */
const createWriter = ({ store, feed, logger, replica, nowMs }: Parts) => {
  let last: Promise<void> = Promise.resolve();
  const write = async (entries: readonly ConsumerEntry[]): Promise<void> => {
    try {
      await store.reportConsumers({ replica, entries, nowMs: nowMs() });
    } catch (thrown) {
      logger.warn({ error: GatewayError.from(thrown).message }, 'consumers not told to other registries');
    }
  };
  const tell = (entries: readonly ConsumerEntry[] = feed.consumers()): Promise<void> => {
    last = last.then(() => write(entries));
    return last;
  };
  return tell;
};

/** Starts telling the other registries. */
export const startSharedConsumers = (parts: Parts): SharedConsumers => {
  const { store, feed, replica, nowMs } = parts;
  const tell = createWriter(parts);
  let soon: NodeJS.Timeout | undefined;
  const tellSoon = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void tell();
    }, WRITE_AFTER_MS).unref();
  };
  const leave = feed.onReport(tellSoon);
  const heartbeat = setInterval(() => void tell(), HEARTBEAT_MS).unref();
  const list = async () =>
    mergeConsumers({ replica, entries: feed.consumers() }, await store.listConsumers(), nowMs());
  return {
    list,
    stop: async () => {
      leave();
      clearTimeout(soon);
      clearInterval(heartbeat);
      const since = new Date(nowMs()).toISOString();
      await tell(
        feed.consumers().map((entry) => (entry.connected ? { ...entry, connected: false, since } : entry)),
      );
    },
  };
};

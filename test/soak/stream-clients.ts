// Many event streams of many callers over connections of their own (HTTP/1.1): what is open, what was heard, when each ended.

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { LEGACY } from '#test/support/legacy-calls.ts';

export type StreamClients = {
  open(): number;
  /** Streams that have heard of their server since `forget`. */
  heard(): number;
  forget(): void;
  /** When the last of those that have ended did so, `performance.now()`. */
  lastEndAt(): number;
  closeAll(): void;
};

export type StreamOrder = { readonly url: string; readonly token: string; readonly count: number };

/** Opened at once: a burst beyond the queue of the listener is refused by the kernel, and is another test's. */
const AT_ONCE = 64;
const PATIENCE_MS = 60_000;

/**
 * Opens them all, so many of each order.
 * @throws with the first answer that is no stream
 */
export const openStreams = async (orders: readonly StreamOrder[]): Promise<StreamClients> => {
  const open = new Set<() => void>();
  const heard = new Set<() => void>();
  let lastEndAt = 0;
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

  const openOne = ({ url, token }: StreamOrder): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { ...LEGACY, authorization: `Bearer ${token}` };
      const outgoing = request(url, { headers, agent }, (response) => {
        const close = (): void => void outgoing.destroy();
        if (response.statusCode !== 200) {
          response.resume();
          reject(new Error(`no stream but ${response.statusCode}`));
          return;
        }
        open.add(close);
        response.on('data', () => heard.add(close));
        response.on('error', () => undefined);
        response.once('close', () => {
          open.delete(close);
          lastEndAt = performance.now();
        });
        resolve();
      });
      outgoing.setTimeout(0);
      outgoing.on('error', reject).end();
      void sleep(PATIENCE_MS, undefined, { ref: false }).then(() => reject(new Error('no answer')));
    });

  const waiting = orders.flatMap((order) => Array.from({ length: order.count }, () => order));
  const work = async (): Promise<void> => {
    for (let order = waiting.pop(); order !== undefined; order = waiting.pop()) await openOne(order);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return {
    open: () => open.size,
    heard: () => heard.size,
    forget: () => heard.clear(),
    lastEndAt: () => lastEndAt,
    closeAll: () => {
      for (const close of open) close();
    },
  };
};

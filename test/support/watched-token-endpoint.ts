// A token endpoint in front of mini-entra's that sees what a provider sees: which exchanges of one key run at the same time,
// and which come before the last token was old enough to be renewed. It takes its time, so that there is something to see.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type EndpointFigures = {
  readonly exchanges: number;
  readonly keys: number;
  /** Exchanges that began while another of the same key ran. */
  readonly overlapping: number;
  /** Exchanges that were asked for sooner after the one before, of their key, than the time given. */
  readonly early: number;
};

export type WatchedTokenEndpoint = {
  readonly origin: string;
  figures(): EndpointFigures;
  /** Exchanges under way. */
  running(): number;
  /** From now on exchanges are not held against anybody: there is nothing that processes could share. */
  excuse(isExcused: boolean): void;
  stop(): Promise<void>;
};

type Watched = { running: number; askedAtMs: number };

/** What makes a key at the broker, as far as a provider hears of it. */
const keyOf = (form: URLSearchParams): string =>
  createHash('sha256')
    .update(JSON.stringify(['grant_type', 'client_id', 'scope', 'assertion'].map((name) => form.get(name))))
    .digest('hex');

const readText = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/**
 * Starts one on a free port.
 * @param options.target origin of mini-entra
 * @param options.renewableAfterMs time after which a token may be asked for once more
 */
export const startWatchedTokenEndpoint = async (options: {
  readonly target: string;
  readonly delayMs: number;
  readonly renewableAfterMs: number;
}): Promise<WatchedTokenEndpoint> => {
  const keys = new Map<string, Watched>();
  const figures = { exchanges: 0, overlapping: 0, early: 0 };
  let isExcused = false;

  const note = (key: string): Watched => {
    const watched = keys.get(key) ?? { running: 0, askedAtMs: Number.NEGATIVE_INFINITY };
    keys.set(key, watched);
    figures.exchanges += 1;
    if (!isExcused && watched.running > 0) figures.overlapping += 1;
    if (!isExcused && performance.now() - watched.askedAtMs < options.renewableAfterMs) figures.early += 1;
    return watched;
  };

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readText(request);
    const askedAtMs = performance.now();
    const watched = note(keyOf(new URLSearchParams(text)));
    watched.running += 1;
    try {
      await sleep(options.delayMs);
      const answer = await fetch(`${options.target}${request.url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: text,
      });
      if (answer.ok) watched.askedAtMs = askedAtMs;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    } finally {
      watched.running -= 1;
    }
  };

  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    figures: () => ({ ...figures, keys: keys.size }),
    running: () => [...keys.values()].reduce((sum, { running }) => sum + running, 0),
    excuse: (on) => {
      isExcused = on;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

// Calls that never pause, over kept connections of HTTP/1.1 and of HTTP/2, and event streams beside them, each judged as it
// ends. Nothing is tried again: what a client would see as a failure is one. The load of chaos opens at a rate and knows
// which failures its faults allow; this one keeps connections over a replacement and allows none.

import { Agent, request as request1 } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';

export type LoadCall = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What is wrong with an answer; undefined if nothing is. */
  readonly judge: (answer: { readonly status: number; readonly text: string }) => string | undefined;
};

export type StreamCall = Omit<LoadCall, 'judge'>;

export type Tally = {
  readonly calls: Readonly<Record<'http1' | 'http2', number>>;
  /** Streams by how they ended: their result came, an error was told, or neither. */
  readonly streams: Readonly<Record<'finished' | 'told' | 'cut', number>>;
  /** One line for each call that failed. */
  readonly failures: readonly string[];
};

type Send = (call: LoadCall) => Promise<{ readonly status: number; readonly text: string }>;

/** Pause of one worker between two calls, milliseconds: the load is to be steady and not to be the fault. */
const PAUSE_MS = 25;

const overHttp1 = (): Send & { close(): void } => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send: Send = ({ url, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = request1(url, { method: 'POST', headers, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      });
      outgoing.on('error', reject).end(body);
    });
  return Object.assign(send, { close: () => agent.destroy() });
};

const askOn = (session: ClientHttp2Session, { url, headers, body }: LoadCall): ReturnType<Send> =>
  new Promise((resolve, reject) => {
    const { pathname } = new URL(url);
    const stream = session.request({ ':method': 'POST', ':path': pathname, ...headers });
    let status = 0;
    let text = '';
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('end', () => resolve({ status, text })).on('error', reject);
    stream.on('close', () => reject(new Error(`stream closed with ${stream.rstCode}`)));
    stream.end(body);
  });

const overHttp2 = (): Send & { close(): void } => {
  let session: ClientHttp2Session | undefined;
  const current = (origin: string): ClientHttp2Session => {
    // One that was told to go away closes by itself once its streams are over.
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(origin);
      session.on('error', () => undefined);
    }
    return session;
  };
  const send: Send = (call) => askOn(current(new URL(call.url).origin), call);
  return Object.assign(send, { close: () => session?.close() });
};

const messagesIn = (text: string): { readonly result?: unknown; readonly error?: unknown }[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data:') && line.length > 'data:'.length + 1)
    .map((line) => JSON.parse(line.slice('data:'.length)) as { result?: unknown; error?: unknown });

/** How a stream ended; a line that is not whole is none that was told. */
const endOf = (text: string): keyof Tally['streams'] => {
  try {
    const messages = messagesIn(text);
    if (messages.some(({ error }) => error !== undefined)) return 'told';
    return messages.some(({ result }) => result !== undefined) ? 'finished' : 'cut';
  } catch {
    return 'cut';
  }
};

const readStream = ({ url, headers, body }: StreamCall): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const outgoing = request1(url, { method: 'POST', headers, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', () => undefined).on('close', () => resolve(text));
    });
    outgoing.on('error', () => resolve(text)).end(body);
  });

/**
 * Starts the load.
 * @param options.workers of each version of HTTP, each with a connection of its own and one call at a time.
 * @param options.streams each is kept open; one that ends is followed by the next.
 */
export const startConstantLoad = (options: {
  readonly calls: readonly LoadCall[];
  readonly workers: number;
  readonly streams: readonly StreamCall[];
}): { tally(): Tally; stop(): Promise<Tally> } => {
  const calls = { http1: 0, http2: 0 };
  const streams = { finished: 0, told: 0, cut: 0 };
  const failures: string[] = [];
  const startedAt = performance.now();
  let stopped = false;
  const fail = (what: string): void => {
    failures.push(`${((performance.now() - startedAt) / 1000).toFixed(2)} s ${what}`);
  };
  const work = async (version: 'http1' | 'http2', first: number): Promise<void> => {
    const send = version === 'http1' ? overHttp1() : overHttp2();
    for (let turn = first; !stopped; turn += 1) {
      const call = options.calls[turn % options.calls.length];
      if (call === undefined) throw new Error('a load needs calls');
      const fault = await send(call).then(call.judge, (thrown: unknown) => String(thrown));
      if (fault !== undefined) fail(`${version} ${fault}`);
      calls[version] += 1;
      await sleep(PAUSE_MS);
    }
    send.close();
  };
  const watch = async (stream: StreamCall): Promise<void> => {
    while (!stopped) {
      const text = await readStream(stream);
      const end = endOf(text);
      streams[end] += 1;
      if (end === 'cut') fail(`stream cut: …${text.slice(-200)}`);
      if (end === 'cut') await sleep(PAUSE_MS * 10);
    }
  };
  const tally = (): Tally => ({ calls: { ...calls }, streams: { ...streams }, failures: [...failures] });
  const running = [
    ...Array.from({ length: options.workers }, (_, index) => work('http1', index)),
    ...Array.from({ length: options.workers }, (_, index) => work('http2', index)),
    ...options.streams.map(watch),
  ];
  return {
    tally,
    stop: async () => {
      stopped = true;
      await Promise.all(running);
      return tally();
    },
  };
};

// One client for each version of HTTP, both aimed at the door of the gateway. An exchange never throws: that a connection
// broke, and when, is what the load wants to know.

import { Agent, type IncomingHttpHeaders, request as startRequest } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';

export type Version = '1.1' | '2';

export type Order = {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** After this without an end the exchange is given up, milliseconds. */
  readonly limitMs: number;
};

export type Heard = {
  /** 0: no answer began. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** `whole`, or how it broke: the error's code, `timeout`, `cut` after the answer began. */
  readonly end: string;
};

export type HttpClient = {
  exchange(order: Order): Promise<Heard>;
  close(): void;
};

type Building = { status: number; headers: IncomingHttpHeaders; text: string };

const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.name;

/** How an exchange broke, in one word. */
const breakOf = (error: Error, heard: Building): string => {
  if (error.name === 'TimeoutError' || codeOf(error) === 'ABORT_ERR') return 'timeout';
  return heard.status === 0 ? codeOf(error) : 'cut';
};

/** HTTP/1.1 with connections that are kept. */
const createHttp1 = (origin: string): HttpClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const exchange = ({ method, path, headers, body, limitMs }: Order): Promise<Heard> =>
    new Promise((resolve) => {
      const heard: Building = { status: 0, headers: {}, text: '' };
      const finish = (end: string): void => {
        clearTimeout(limit);
        resolve({ ...heard, end });
      };
      const outgoing = startRequest(new URL(path, origin), { method, headers, agent }, (response) => {
        heard.status = response.statusCode ?? 0;
        heard.headers = response.headers;
        response.setEncoding('utf8').on('data', (chunk: string) => {
          heard.text += chunk;
        });
        response.once('end', () => finish(response.complete ? 'whole' : 'cut'));
        response.once('error', (error) => finish(breakOf(error, heard)));
      });
      const limit = setTimeout(() => outgoing.destroy(new DOMException('too late', 'TimeoutError')), limitMs);
      outgoing.once('error', (error) => finish(breakOf(error, heard)));
      outgoing.end(body);
    });
  return { exchange, close: () => agent.destroy() };
};

/** HTTP/2 on one connection, which is made anew when it is gone. */
const createHttp2 = (origin: string): HttpClient => {
  let session: ClientHttp2Session | undefined;
  const connected = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(origin);
    session.on('error', () => undefined);
    return session;
  };
  const exchange = ({ method, path, headers, body, limitMs }: Order): Promise<Heard> =>
    new Promise((resolve) => {
      const heard: Building = { status: 0, headers: {}, text: '' };
      const { host } = new URL(origin);
      const stream = connected().request({
        ':method': method,
        ':path': path,
        ':authority': host,
        ...headers,
      });
      let error: Error | undefined;
      const limit = setTimeout(() => stream.destroy(new DOMException('too late', 'TimeoutError')), limitMs);
      let ended = false;
      stream.setEncoding('utf8');
      stream.on('response', (answer) => {
        heard.status = Number(answer[':status'] ?? 0);
        heard.headers = answer as IncomingHttpHeaders;
      });
      stream.on('data', (chunk: string) => {
        heard.text += chunk;
      });
      stream.once('end', () => {
        ended = true;
      });
      stream.once('error', (thrown) => {
        error = thrown;
      });
      stream.once('close', () => {
        clearTimeout(limit);
        const isWhole = error === undefined && ended && heard.status > 0 && stream.rstCode === 0;
        const broken = error ?? new Error('closed');
        resolve({ ...heard, end: isWhole ? 'whole' : breakOf(broken, heard) });
      });
      stream.end(body);
    });
  return { exchange, close: () => session?.destroy() };
};

/** A client of one version of HTTP. */
export const createClient = (version: Version, origin: string): HttpClient =>
  version === '2' ? createHttp2(origin) : createHttp1(origin);

// HTTP as it is on the wire: the path goes out exactly as written, which `fetch` would normalise.

import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
};

export type Call = {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
};

/** One call on a connection of its own. */
export const httpCall = (
  origin: string,
  path: string,
  { method = 'POST', headers = {}, body = '{}' }: Call = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const outgoing = request(
      {
        hostname,
        port,
        path,
        method,
        headers: { 'content-type': 'application/json', ...headers },
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(method === 'GET' ? undefined : body);
  });

export type Stream = {
  /** Server-sent events received so far. */
  events(): number;
  isOpen(): boolean;
  close(): void;
};

/** Opens a GET stream; resolves with its first event. */
export const openStream = (origin: string, path: string, more: OutgoingHttpHeaders = {}): Promise<Stream> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    let events = 0;
    let open = true;
    const headers = { accept: 'text/event-stream', ...more };
    const outgoing = request({ hostname, port, path, headers, agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}`));
      response.on('data', (chunk: Buffer) => {
        events += chunk.toString().split('data: ').length - 1;
        resolve({ events: () => events, isOpen: () => open, close: () => outgoing.destroy() });
      });
      response.on('close', () => {
        open = false;
      });
      response.on('error', () => undefined);
      return undefined;
    });
    outgoing.on('error', reject);
    outgoing.end();
  });

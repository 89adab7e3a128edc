// An upstream for tests of xds-server: says what it was asked, and on GET streams one event every 20 ms, except at
// /healthz.

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TEST_CERTIFICATE, TEST_KEY } from '#test/support/tls-certificate.ts';

export type Seen = {
  readonly method: string;
  readonly httpVersion: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
  /** Server name the TLS handshake asked for. */
  readonly serverName: string;
};

export type Upstream = {
  readonly name: string;
  readonly url: string;
  readonly seen: Seen[];
  /** Connections taken so far. */
  connections(): number;
  /** How POSTs and /healthz are answered from now on; undefined: 200 and who it is. */
  answerWith(
    answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | undefined,
  ): void;
  stop(): Promise<void>;
};

const sizeOf = async (request: IncomingMessage): Promise<number> => {
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  return bytes;
};

const listen = (server: NetServer, address: string): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, address, () => resolve((server.address() as AddressInfo).port));
  });

const serverNameOf = ({ socket }: IncomingMessage): string =>
  String(('servername' in socket && (socket as TLSSocket).servername) || '');

/** `h2c` and `h2` speak HTTP/2 beside or instead of HTTP/1.1, without TLS and with it. */
export type Scheme = 'http' | 'https' | 'h2c' | 'h2';

const TLS = { key: TEST_KEY, cert: TEST_CERTIFICATE };

const createServerOf = (scheme: Scheme, listener: RequestListener): NetServer => {
  // The compatibility API of http2 hands over what its types will not say is a request.
  const compatible = listener as unknown as Parameters<typeof createHttp2Server>[1];
  if (scheme === 'h2c') return createHttp2Server({}, compatible);
  if (scheme === 'h2') return createSecureServer({ ...TLS, allowHTTP1: true }, compatible);
  return scheme === 'https' ? createTlsServer(TLS, listener) : createServer(listener);
};

/** `https` and `h2` use the test certificate. */
export const startUpstream = async (
  name: string,
  path = '/mcp',
  scheme: Scheme = 'http',
  address = '127.0.0.1',
): Promise<Upstream> => {
  const seen: Seen[] = [];
  let answer: Parameters<Upstream['answerWith']>[0];
  const listener: RequestListener = async (request, response) => {
    const serverName = serverNameOf(request);
    seen.push({
      method: request.method ?? '',
      httpVersion: request.httpVersion,
      path: request.url ?? '',
      headers: request.headers,
      bytes: await sizeOf(request),
      serverName,
    });
    if (request.method === 'GET' && request.url !== '/healthz') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(`data: ${name}\n\n`), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    const headers = { 'content-type': 'application/json', ...answer?.headers };
    response.writeHead(answer?.status ?? 200, headers);
    response.end(JSON.stringify({ upstream: name }));
  };
  const server = createServerOf(scheme, listener);
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const bound = await listen(server, address);
  return {
    name,
    url: `${scheme === 'http' || scheme === 'h2c' ? 'http' : 'https'}://127.0.0.1:${bound}${path}`,
    seen,
    connections: () => connections,
    answerWith: (next) => {
      answer = next;
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

// An upstream for tests of xds-server: says what it was asked, and on GET streams one event every 20 ms.

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { TEST_CERTIFICATE, TEST_KEY } from '#test/support/tls-certificate.ts';

export type Seen = {
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
  /** How POSTs are answered from now on; undefined: 200 and who it is. */
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

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const serverNameOf = ({ socket }: IncomingMessage): string =>
  String(('servername' in socket && (socket as TLSSocket).servername) || '');

/** `scheme` https uses the test certificate. */
export const startUpstream = async (
  name: string,
  path = '/mcp',
  scheme: 'http' | 'https' = 'http',
): Promise<Upstream> => {
  const seen: Seen[] = [];
  let answer: Parameters<Upstream['answerWith']>[0];
  const listener: RequestListener = async (request, response) => {
    const serverName = serverNameOf(request);
    seen.push({
      path: request.url ?? '',
      headers: request.headers,
      bytes: await sizeOf(request),
      serverName,
    });
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(`data: ${name}\n\n`), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    // Told to an Envoy in front, it would take the sender out of service.
    const forbidden = { 'x-envoy-immediate-health-check-fail': 'true', 'x-envoy-overloaded': 'true' };
    const headers = { 'content-type': 'application/json', ...forbidden, ...answer?.headers };
    response.writeHead(answer?.status ?? 200, headers);
    response.end(JSON.stringify({ upstream: name }));
  };
  const server =
    scheme === 'http'
      ? createServer(listener)
      : createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, listener);
  const port = await listen(server);
  return {
    name,
    url: `${scheme}://127.0.0.1:${port}${path}`,
    seen,
    answerWith: (next) => {
      answer = next;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

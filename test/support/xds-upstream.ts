// An upstream for tests of xds-server: says what it was asked, and on GET streams one event every 20 ms.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Seen = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly bytes: number };

export type Upstream = {
  readonly name: string;
  readonly url: string;
  readonly seen: Seen[];
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

export const startUpstream = async (name: string, path = '/mcp'): Promise<Upstream> => {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    seen.push({ path: request.url ?? '', headers: request.headers, bytes: await sizeOf(request) });
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => response.write(`data: ${name}\n\n`), 20);
      response.on('close', () => clearInterval(timer));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ upstream: name }));
  });
  const port = await listen(server);
  return {
    name,
    url: `http://127.0.0.1:${port}${path}`,
    seen,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

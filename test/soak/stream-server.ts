// An MCP server of the older era that only holds streams: every GET is one, silent until it is told to trickle.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';

export type StreamServer = {
  readonly url: string;
  /** Streams that are open. */
  count(): number;
  /** From now on every stream brings an event each so many milliseconds, spread evenly; 0 for none. */
  trickle(everyMs: number): void;
  stop(): Promise<void>;
};

/** How often some of the streams have their turn. */
const TURN_MS = 100;

const EVENT = `event: message\ndata: ${JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'still here' },
})}\n\n`;

export type HttpVersion = '1.1' | '2';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** Node's HTTP/2 server hands out what answers to the same methods, under types of its own. */
const serverOf = (version: HttpVersion, serve: Serve): Server =>
  version === '2' ? createHttp2Server(serve as never) : createServer(serve);

/** Starts it on loopback. */
export const startStreamServer = async (version: HttpVersion): Promise<StreamServer> => {
  const streams = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  let timer: NodeJS.Timeout | undefined;
  const server = serverOf(version, (request, response) => {
    if (request.method !== 'GET') {
      request.resume();
      response.writeHead(202).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    streams.add(response);
    response.once('close', () => streams.delete(response));
  });
  await new Promise<void>((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve),
  );
  const trickle = (everyMs: number): void => {
    clearInterval(timer);
    if (everyMs === 0) return;
    const turns = Math.max(1, Math.round(everyMs / TURN_MS));
    let turn = 0;
    timer = setInterval(() => {
      turn = (turn + 1) % turns;
      let index = 0;
      for (const stream of streams) {
        if (index % turns === turn) stream.write(EVENT);
        index += 1;
      }
    }, TURN_MS);
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    count: () => streams.size,
    trickle,
    stop: async () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

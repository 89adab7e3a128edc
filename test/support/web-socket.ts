// WebSockets for tests: a server that says back what it hears, and a client that shows how an opening was refused. Text
// messages of one frame, up to 64 KiB (RFC 6455 §5.2); more no test needs.

import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** `mask`: what a client has to send. */
const encode = (text: string, mask: Buffer | undefined): Buffer => {
  const payload = Buffer.from(text);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  const [first = 0, ...more] = length;
  const head = Buffer.from([0x81, first | (mask === undefined ? 0 : 0x80), ...more]);
  if (mask === undefined) return Buffer.concat([head, payload]);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
};

const unmask = (payload: Buffer, mask: Buffer): Buffer =>
  Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));

/** The first frame that is whole, and what comes behind it. */
const readFrame = (held: Buffer): { readonly text: string; readonly rest: Buffer } | undefined => {
  if (held.length < 4) return undefined;
  const flags = held.readUInt8(1);
  const maskBytes = flags & 0x80 ? 4 : 0;
  const isLong = (flags & 0x7f) === 126;
  const length = isLong ? held.readUInt16BE(2) : flags & 0x7f;
  const start = (isLong ? 4 : 2) + maskBytes;
  if (held.length < start + length) return undefined;
  const payload = held.subarray(start, start + length);
  const whole = maskBytes === 0 ? payload : unmask(payload, held.subarray(start - maskBytes, start));
  return { text: whole.toString(), rest: held.subarray(start + length) };
};

/** Calls `onText` with each message that is whole; returns what takes further bytes. */
const decoder = (onText: (text: string) => void): ((chunk: Buffer) => void) => {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (let frame = readFrame(held); frame !== undefined; frame = readFrame(held)) {
      held = frame.rest;
      onText(frame.text);
    }
  };
};

export type SocketServer = {
  readonly url: string;
  /** Headers of each opening. */
  readonly opened: IncomingHttpHeaders[];
  /** How openings are answered from now on; undefined: 101. */
  answerWith(head: string | undefined): void;
  stop(): Promise<void>;
};

/** Says back every message, with `echo:` before it. */
export const startSocketServer = async (): Promise<SocketServer> => {
  const opened: IncomingHttpHeaders[] = [];
  const sockets = new Set<Duplex>();
  let answer: string | undefined;
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('upgrade', ({ headers }, socket: Duplex) => {
    opened.push(headers);
    sockets.add(socket);
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64');
    const switched = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;
    socket.write(`${answer ?? switched}\r\n`);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on(
      'data',
      decoder((text) => socket.write(encode(`echo:${text}`, undefined))),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    opened,
    answerWith: (head) => {
      answer = head;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export type SocketClient = {
  readonly status: number;
  /** Body of a refusal. */
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  send(text: string): void;
  readonly received: readonly string[];
  isOpen(): boolean;
  close(): void;
};

const closedClient = (status: number, headers: IncomingHttpHeaders, text: string): SocketClient => ({
  status,
  headers,
  text,
  send: () => undefined,
  received: [],
  isOpen: () => false,
  close: () => undefined,
});

const openClient = (status: number, headers: IncomingHttpHeaders, socket: Socket): SocketClient => {
  const received: string[] = [];
  let open = true;
  socket.on(
    'data',
    decoder((text) => received.push(text)),
  );
  socket
    .on('error', () => undefined)
    .on('close', () => {
      open = false;
    });
  // A half-closed WebSocket is of no use: whoever is told to end does.
  socket.on('end', () => socket.end());
  return {
    status,
    headers,
    text: '',
    send: (text) => socket.write(encode(text, randomBytes(4))),
    received,
    isOpen: () => open,
    close: () => socket.destroy(),
  };
};

/** Asks for a WebSocket; a header set to undefined is left out. */
export const openSocket = (
  url: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  method = 'GET',
): Promise<SocketClient> =>
  new Promise((resolve, reject) => {
    const all = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
      ...headers,
    };
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const outgoing = request(url, { method, headers: given as Record<string, string>, agent: false });
    outgoing.on('upgrade', (response, socket) =>
      resolve(openClient(response.statusCode ?? 0, response.headers, socket as Socket)),
    );
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(closedClient(response.statusCode ?? 0, response.headers, text)));
      response.on('error', reject);
    });
    outgoing.on('error', reject).end();
  });

// HTTP/1.1 as bytes: what no client library would send, and the answer as it came.

import { connect } from 'node:net';

export type RawHttpAnswer = {
  readonly status: number;
  /** By lower-case name; the last of those that repeat. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const parse = (text: string): RawHttpAnswer => {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: rest.join('\r\n\r\n'),
  };
};

/** Sends the bytes, reads until the gateway closes the connection. Status 0: it closed without an answer. */
export const exchange = (origin: string, bytes: string | Buffer): Promise<RawHttpAnswer> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(parse(text)));
  });

// Event streams and calls over each way HTTP comes to the gateway: version 1.1 and 2, in the clear and over TLS.

import { request as requestPlain } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestTls } from 'node:https';
import type { TLSSocket } from 'node:tls';

export type Way = {
  readonly version: '1.1' | '2';
  /** Certificates that are trusted, over TLS. */
  readonly ca?: string;
};

export type EventStream = {
  readonly status: number;
  /** Bytes received so far, as text. */
  text(): string;
  isOpen(): boolean;
  close(): void;
  /** The certificate that was shown, over TLS: its names. */
  readonly names: string;
};

const HEADERS = { accept: 'text/event-stream' };

const namesOf = (socket: unknown): string =>
  (socket as Partial<TLSSocket>).getPeerCertificate?.().subjectaltname ?? '';

const overHttp1 = (origin: string, path: string, { ca }: Way): Promise<EventStream> =>
  new Promise((resolve, reject) => {
    const request = origin.startsWith('https:') ? requestTls : requestPlain;
    const options = { headers: HEADERS, agent: false, ca, servername: 'registry.example' } as const;
    const outgoing = request(new URL(path, origin), options, (response) => {
      let text = '';
      let open = true;
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('error', () => undefined);
      response.on('close', () => {
        open = false;
      });
      resolve({
        status: response.statusCode ?? 0,
        text: () => text,
        isOpen: () => open,
        close: () => outgoing.destroy(),
        names: namesOf(response.socket),
      });
    });
    outgoing.on('error', reject).end();
  });

const overHttp2 = (origin: string, path: string, { ca }: Way): Promise<EventStream> =>
  new Promise((resolve, reject) => {
    const session = connectHttp2(origin, ca === undefined ? {} : { ca, servername: 'registry.example' });
    session.on('error', reject);
    const stream = session.request({ ':path': path, ...HEADERS });
    let text = '';
    let open = true;
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    stream.on('error', reject).on('close', () => {
      open = false;
      session.close();
    });
    stream.on('response', (headers) =>
      resolve({
        status: headers[':status'] ?? 0,
        text: () => text,
        isOpen: () => open,
        close: () => session.destroy(),
        names: namesOf(session.socket),
      }),
    );
  });

/** Opens a GET stream; resolves with its head. */
export const openEvents = (origin: string, path: string, way: Way): Promise<EventStream> =>
  way.version === '2' ? overHttp2(origin, path, way) : overHttp1(origin, path, way);

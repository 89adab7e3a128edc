// The façade's listener: bytes become requests and replies become bytes, with a bound on each, and what was refused is
// logged. Plain HTTP on this machine; a proxy before it ends TLS.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import { GatewayError } from '#core/gateway-error.ts';
import type { Outcome } from '#oauth-facade/answer.ts';
import { jsonReply, type Reply } from '#oauth-facade/http/reply.ts';
import type { Request } from '#oauth-facade/http/request.ts';
import { bindPort, closeServer } from '#runtime/http-listener.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** A form with a code or a handle in it, which hold what a provider gave. */
const MAX_BODY_BYTES = 32 * 1024;
/** The way back from a provider carries its code and our state, beside the cookies. */
const MAX_HEAD_BYTES = 32 * 1024;
const REQUEST_MS = 10_000;
const MAX_CONNECTIONS = 1_000;

export type Answerer = (request: Request) => Promise<Outcome>;

const readBody = async (incoming: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const requestOf = ({ method, url = '/', headers }: IncomingMessage, body: string): Request => {
  const mark = url.indexOf('?');
  return {
    method: method ?? '',
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark + 1),
    cookie: headers.cookie ?? '',
    origin: headers.origin,
    mediaType: (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
    body,
  };
};

const send = (response: ServerResponse, { status, headers, body, cookies = [] }: Reply): void => {
  response.writeHead(status, { ...headers, ...(cookies.length === 0 ? {} : { 'set-cookie': [...cookies] }) });
  response.end(body);
};

const failed = (thrown: unknown, logger: Logger): Outcome => {
  const { code, message } = GatewayError.from(thrown);
  logger.error({ code, error: message }, 'request failed');
  const body = { error: 'server_error', error_description: 'The façade failed at this request.' };
  return { endpoint: 'none', reply: jsonReply(500, body) };
};

const tell = ({ endpoint, facade, refused }: Outcome, logger: Logger): void => {
  if (refused === undefined) return;
  const { error, sentence, detail } = refused;
  logger.info({ endpoint, facade, error, sentence, ...(detail === undefined ? {} : { detail }) }, 'refused');
};

/**
 * Listens on loopback.
 * @returns the port, the server itself, and what closes it
 * @throws what `listen` fails with.
 */
export const startFacadeServer = async (options: {
  readonly port: number;
  readonly answer: Answerer;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Promise<{ readonly port: number; readonly server: Server; readonly close: () => Promise<void> }> => {
  const { answer, logger, metrics } = options;
  const requests = metrics.counter(
    'oauth_facade_requests_total',
    'Requests of the sign-in façade, by endpoint and what came of them: ok, or an error of OAuth.',
    ['endpoint', 'outcome'],
  );
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(incoming);
    if (body === undefined)
      return send(response, jsonReply(413, { error: 'invalid_request' }, { connection: 'close' }));
    const outcome = await answer(requestOf(incoming, body)).catch((thrown) => failed(thrown, logger));
    const { endpoint, refused, reply } = outcome;
    requests.inc({ endpoint, outcome: refused?.error ?? (reply.status < 400 ? 'ok' : 'refused') });
    tell(outcome, logger);
    send(response, reply);
  };
  const server = createServer(
    { maxHeaderSize: MAX_HEAD_BYTES, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (incoming, response) => void handle(incoming, response).catch(() => response.destroy()),
  );
  server.maxConnections = MAX_CONNECTIONS;
  const listen = (place: ListenOptions): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(place, resolve);
    });
  await bindPort({ host: '127.0.0.1', port: options.port }, listen);
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: () => closeServer(server),
  };
};

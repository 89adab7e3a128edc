// The MCP servers of the world, each on a path of its own: they speak both eras, answer with whose token they were sent, and
// write down every call before they answer it. What the oracle believes of arrivals is that file and nothing else.

import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { createTokenCheck, type TokenCheck } from '#demo/servers/token-check.ts';
import { port, readConfig, text } from '#runtime/config.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import type { Arrival } from '#test/chaos/arrivals.ts';
import { SERVERS, TOOLS } from '#test/chaos/people.ts';

const config = readConfig({
  port: port('CHAOS_UPSTREAM_PORT'),
  /** Keys of the identity provider, as a file: this server looks at tokens while the provider is away too. */
  keys: text('CHAOS_KEYS_FILE'),
  issuers: text('CHAOS_ISSUERS'),
  arrivals: text('CHAOS_ARRIVALS_FILE'),
});

/** Between two events of a stream, milliseconds. */
const EVENT_MS = 200;

/** Far above any call of the load. */
const MAX_BODY_BYTES = 64 * 1024;

type Message = {
  readonly id?: string;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Readonly<Record<string, unknown>> };
};

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly message: Message;
  readonly arrival: Arrival;
};

const keys = createLocalJWKSet(JSON.parse(readFileSync(config.keys, 'utf8')) as JSONWebKeySet);
const checks: Readonly<Record<string, TokenCheck>> = Object.fromEntries(
  SERVERS.map(({ id, api }) => [
    id,
    createTokenCheck({ issuers: config.issuers.split(','), audience: api, keys }),
  ]),
);

const readMessage = async (request: IncomingMessage): Promise<Message> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too large');
    chunks.push(chunk as Buffer);
  }
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Message);
};

const describe = async (
  { headers, method, url = '' }: IncomingMessage,
  message: Message,
): Promise<Arrival> => {
  const [, tenant = '', server = ''] = url.split('/');
  const checked = await checks[server]?.(headers.authorization);
  return {
    at: Date.now(),
    tenant,
    server,
    http: method ?? '',
    method: message.method ?? '',
    tool: message.params?.name ?? '',
    call: message.id ?? '',
    requestId: String(headers['x-request-id'] ?? ''),
    token: checked?.ok === true ? checked.value : String(checked?.error ?? 'no such server'),
  };
};

const oidOf = ({ token }: Arrival): string => (typeof token === 'string' ? '' : token.oid);

const sendJson = ({ response, message }: Exchange, result: object, headers: object = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
};

/** What every answer says: for which call, and whose token it came with. */
const toolResult = (arrival: Arrival, more: object = {}): object => ({
  resultType: 'complete',
  content: [{ type: 'text', text: JSON.stringify({ call: arrival.call, oid: oidOf(arrival), ...more }) }],
});

const event = (message: object): string => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

/** Events of one call until it is over, then its result. */
const streamCall = ({ response, message, arrival }: Exchange): void => {
  const total = Number(message.params?.arguments?.['events'] ?? 1);
  let sent = 0;
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const timer = setInterval(() => {
    sent += 1;
    const data = { call: arrival.call, oid: oidOf(arrival), sent };
    const params = { level: 'info', data };
    response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params }));
    if (sent < total) return;
    clearInterval(timer);
    response.end(event({ jsonrpc: '2.0', id: message.id, result: toolResult(arrival, { sent }) }));
  }, EVENT_MS);
  response.once('close', () => clearInterval(timer));
};

/** What a client of the older era listens to beside its calls: an event a second until somebody goes. */
const holdStream = ({ response, arrival }: Exchange): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const params = { level: 'info', data: { oid: oidOf(arrival) } };
  const timer = setInterval(
    () => response.write(event({ jsonrpc: '2.0', method: 'notifications/message', params })),
    EVENT_MS * 5,
  );
  response.once('close', () => clearInterval(timer));
};

const tools = TOOLS.map((name) => ({ name, inputSchema: { type: 'object' } }));

const initialised = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'chaos', version: '1.0.0' },
};

const LISTED = { resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' };

const answer = (exchange: Exchange): void => {
  const { message, response, arrival } = exchange;
  if (arrival.http === 'GET') holdStream(exchange);
  else if (message.method === 'initialize')
    sendJson(exchange, initialised, { 'mcp-session-id': randomUUID() });
  else if (message.id === undefined) response.writeHead(202).end();
  else if (message.method === 'tools/list') sendJson(exchange, LISTED);
  else if (arrival.tool === 'watch') streamCall(exchange);
  else sendJson(exchange, toolResult(arrival));
};

const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.url === '/healthz') {
    response.writeHead(200).end();
    return;
  }
  const message = await readMessage(request);
  const arrival = await describe(request, message);
  // One write of less than a page, in append mode: whole, and there when this process is killed the moment after.
  appendFileSync(config.arrivals, `${JSON.stringify(arrival)}\n`);
  if (typeof arrival.token === 'string') response.writeHead(401).end();
  else answer({ request, response, message, arrival });
};

runService(createLogger('upstream', 'info'), async (lifecycle) => {
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(config.port, '127.0.0.1', resolve));
  lifecycle.onStop('http', () => {
    server.closeAllConnections();
    server.close();
  });
});

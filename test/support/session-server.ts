// A server of the older protocol era with as little in it as sessions need, several of which are the replicas of one. It
// notes what reached it, and answers as an SDK server does: the session's id on every answer, 404 for one it does not know.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Reached = {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** `id`: the one in the request, or the one just made at an `initialize`. */
export type AnswerWith = (response: ServerResponse, id: string | undefined) => void;

export type SessionServer = {
  readonly name: string;
  readonly url: string;
  /** `address:port`. */
  readonly host: string;
  readonly reached: Reached[];
  readonly sessions: Set<string>;
  /** Answers everything in place of the server; undefined gives it back its own ways. */
  answerWith: AnswerWith | undefined;
  stop(): Promise<void>;
};

const RESULT = '{"jsonrpc":"2.0","id":1,"result":{}}';

const sendJson = (response: ServerResponse, status: number, id: string | undefined, body: string): void => {
  const named = id === undefined ? {} : { 'mcp-session-id': id };
  response.writeHead(status, { 'content-type': 'application/json', ...named });
  response.end(body);
};

const GONE = '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}';

const sendEvents = (response: ServerResponse, id: string | undefined, by: string): void => {
  const named = id === undefined ? {} : { 'mcp-session-id': id };
  response.writeHead(200, { 'content-type': 'text/event-stream', ...named });
  const message = { jsonrpc: '2.0', method: 'notifications/message', params: { by } };
  response.end(`id: 1\ndata: ${JSON.stringify(message)}\n\n`);
};

const answerByItself = (
  response: ServerResponse,
  { name, sessions }: SessionServer,
  { method, id }: { readonly method: string; readonly id: string | undefined },
): void => {
  if (id !== undefined && !sessions.has(id)) sendJson(response, 404, id, GONE);
  else if (method === 'GET') sendEvents(response, id, name);
  else {
    if (method === 'DELETE') sessions.delete(id ?? '');
    sendJson(response, 200, id, RESULT);
  }
};

const openOf = ({ name, sessions }: SessionServer): string => {
  const id = `${name}-upstream-${sessions.size + 1}`;
  sessions.add(id);
  return id;
};

/** Its ids begin with its name. */
export const startSessionServer = async (name: string): Promise<SessionServer> => {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', headers } = request;
    running.reached.push({ method, headers, body });
    const given = headers['mcp-session-id'] as string | undefined;
    const id = given ?? (body.includes('"initialize"') ? openOf(running) : undefined);
    if (running.answerWith === undefined) answerByItself(response, running, { method, id });
    else running.answerWith(response, id);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const running: SessionServer = {
    name,
    url: `http://127.0.0.1:${port}/mcp`,
    host: `127.0.0.1:${port}`,
    reached: [],
    sessions: new Set(),
    answerWith: undefined,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return running;
};

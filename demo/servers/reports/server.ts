// The reports server: sessions, server-sent events, long streams. It speaks the older protocol era only, as many
// servers will for years.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type RunningServer, startHttpFront } from '#demo/servers/http-front.ts';
import { createReportsProtocol } from '#demo/servers/reports/protocol.ts';
import { createSessions, type Sessions } from '#demo/servers/reports/sessions.ts';
import type { TokenCheck, TokenFacts } from '#demo/servers/token-check.ts';

const refuseSession = (response: ServerResponse): void => {
  response.writeHead(404, { 'content-type': 'application/json' });
  response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}\n');
};

/** A transport for a request without a session: the SDK lets only `initialize` through and names the new session. */
const createTransport = async (
  sessions: Sessions,
  facts: TokenFacts,
): Promise<StreamableHTTPServerTransport> => {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.open(id, facts, transport),
    onsessionclosed: (id) => sessions.close(id),
  });
  // The SDK's own class does not satisfy its own interface under exactOptionalPropertyTypes (onclose may be undefined).
  await createReportsProtocol(facts).connect(transport as Transport);
  return transport;
};

/** Starts the reports server on loopback; port 0 takes a free one. */
export const startReports = async (options: {
  readonly port: number;
  readonly checkToken: TokenCheck;
  readonly debug: boolean;
}): Promise<RunningServer> => {
  const sessions = createSessions();
  const serve = async (request: IncomingMessage, response: ServerResponse, facts: TokenFacts) => {
    const id = request.headers['mcp-session-id'];
    const transport =
      typeof id === 'string' ? sessions.find(id, facts) : await createTransport(sessions, facts);
    if (transport === undefined) refuseSession(response);
    else await transport.handleRequest(request, response);
  };
  const front = await startHttpFront({ ...options, serve });
  return {
    port: front.port,
    stop: async () => {
      await sessions.closeAll();
      await front.stop();
    },
  };
};

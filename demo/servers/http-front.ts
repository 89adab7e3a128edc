// The HTTP side both sample servers share: loopback only, one MCP path behind the token check, a health page, and on
// demand the log of what was seen. Knows nothing of MCP.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSeenLog } from '#demo/servers/seen-log.ts';
import type { TokenCheck, TokenFacts } from '#demo/servers/token-check.ts';

/** Serves one MCP request whose token was accepted. */
export type McpEndpoint = (
  request: IncomingMessage,
  response: ServerResponse,
  facts: TokenFacts,
) => Promise<void>;

export type HttpFrontOptions = {
  readonly port: number;
  readonly checkToken: TokenCheck;
  readonly serve: McpEndpoint;
  /** Opens `/debug/seen`. */
  readonly debug: boolean;
};

export type RunningServer = { readonly port: number; stop(): Promise<void> };

const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
};

const refuseToken = (response: ServerResponse, why: string): void => {
  response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
  sendJson(response, 401, {
    jsonrpc: '2.0',
    id: null,
    error: { code: -32001, message: `Unauthorized: ${why}` },
  });
};

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

/**
 * Starts listening on loopback.
 * @throws if the port is taken
 */
export const startHttpFront = async (options: HttpFrontOptions): Promise<RunningServer> => {
  const seen = createSeenLog();
  const serveMcp = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const checked = await options.checkToken(request.headers.authorization);
    if (!checked.ok) return refuseToken(response, checked.error);
    seen.add({
      ...checked.value,
      method: request.method ?? '',
      headerNames: Object.keys(request.headers).toSorted(),
    });
    return options.serve(request, response, checked.value);
  };
  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?')[0];
    if (path === '/mcp') return serveMcp(request, response);
    if (path === '/healthz') return sendJson(response, 200, { status: 'ok' });
    if (path === '/debug/seen' && options.debug) return sendJson(response, 200, seen.list());
    return sendJson(response, 404, { error: 'try /mcp' });
  };
  const server = createServer((request, response) => {
    route(request, response).catch((thrown: unknown) => {
      console.error(thrown);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: 'the server failed' });
    });
  });
  const port = await listen(server, options.port);
  return {
    port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

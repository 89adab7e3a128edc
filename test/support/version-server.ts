// A server on the official SDK whose tools say which version answered, and which can be told to fail or to be slow: what
// a release looks like that should not have been one.

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';

/** Tools as a version of the registry has them, with what the server says of some of them. */
export const versionTools = (names: readonly string[], descriptions: Readonly<Record<string, string>> = {}) =>
  names.map((name) => ({
    name,
    ...(descriptions[name] === undefined ? {} : { description: descriptions[name] }),
    inputSchema: { type: 'object' as const },
    requiredScopes: [],
    tags: [],
    idempotent: false,
  }));

export type VersionServer = {
  readonly version: string;
  readonly url: string;
  /** `fail`: every call is answered with 500. `delayMs`: every answer waits. */
  readonly mood: { fail: boolean; delayMs: number };
  /** What it says of its tools, from the next request on. */
  readonly descriptions: Record<string, string>;
  /** Headers of the last request. */
  seenHeaders(): IncomingHttpHeaders;
  stop(): Promise<void>;
};

/** Starts one on loopback. */
export const startVersionServer = async (
  version: string,
  tools: readonly string[],
): Promise<VersionServer> => {
  const mood = { fail: false, delayMs: 0 };
  const descriptions: Record<string, string> = {};
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'versions', version });
    for (const name of tools)
      server.registerTool(
        name,
        {
          inputSchema: fromJsonSchema({ type: 'object' }),
          ...(descriptions[name] === undefined ? {} : { description: descriptions[name] }),
        },
        () => ({ content: [{ type: 'text', text: version }] }),
      );
    return server;
  });
  const toNode = toNodeHandler(handler);
  let seen: IncomingHttpHeaders = {};
  const server = createServer(async (request, response) => {
    seen = request.headers;
    if (mood.delayMs > 0) await sleep(mood.delayMs);
    if (mood.fail) response.writeHead(500).end('out of order');
    // Node's own type does not satisfy the SDK's under exactOptionalPropertyTypes (method may be undefined).
    else await toNode(request as NodeIncomingMessageLike, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    version,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    mood,
    descriptions,
    seenHeaders: () => seen,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

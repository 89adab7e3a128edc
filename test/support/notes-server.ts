// An MCP server on the official SDK that asks for no token of its own and speaks every revision: what stands behind the
// gateway where a test is about what stands before it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';

/** What every tool takes, as it is pinned. */
export const NO_ARGUMENTS = { type: 'object', properties: {} } as const;

export type NotesServer = {
  readonly host: string;
  readonly url: string;
  /** Names of the headers of the last request. */
  seenHeaders(): readonly string[];
  stop(): Promise<void>;
};

/** Serves the tools, each of which answers with its name. */
export const startNotesServer = async (tools: readonly string[]): Promise<NotesServer> => {
  let seen: readonly string[] = [];
  const build = (): McpServer => {
    const server = new McpServer({ name: 'notes', version: '1.0.0' });
    for (const name of tools)
      server.registerTool(name, { inputSchema: fromJsonSchema(NO_ARGUMENTS) }, () => ({
        content: [{ type: 'text' as const, text: name }],
      }));
    return server;
  };
  const handle = toNodeHandler(createMcpHandler(build));
  const server = createServer((request, response) => {
    seen = Object.keys(request.headers);
    // Node's own type does not satisfy the SDK's under exactOptionalPropertyTypes.
    void handle(request as NodeIncomingMessageLike, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/mcp`,
    seenHeaders: () => seen,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

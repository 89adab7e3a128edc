// The tracker: an MCP server on the official SDK that speaks the stateless revision and, one request at a time, the
// older ones. It is what stands behind the gateway in the demo; nothing in it knows of the gateway.

import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  fromJsonSchema,
  type JsonSchemaType,
  McpServer,
} from '@modelcontextprotocol/server';
import { type RunningServer, startHttpFront } from '#demo/servers/http-front.ts';
import type { TokenCheck, TokenFacts } from '#demo/servers/token-check.ts';
import type { ToolArguments } from '#demo/servers/tool-result.ts';
import { createTrackerHandlers, type ToolHandler } from '#demo/servers/tracker/handlers.ts';
import { createIssueStore } from '#demo/servers/tracker/issue-store.ts';
import { TRACKER_TOOLS } from '#demo/servers/tracker/tools.ts';

const schemaOf = (schema: unknown) => fromJsonSchema<ToolArguments>(schema as JsonSchemaType);

const createServerFor = (handlers: Readonly<Record<string, ToolHandler>>, facts: TokenFacts): McpServer => {
  const server = new McpServer({ name: 'tracker', version: '1.0.0' });
  for (const tool of TRACKER_TOOLS) {
    const handle = handlers[tool.name];
    if (handle === undefined) throw new Error(`tool ${tool.name} has no handler`);
    server.registerTool(
      tool.name,
      {
        ...(tool.title === undefined ? {} : { title: tool.title }),
        ...(tool.description === undefined ? {} : { description: tool.description }),
        ...(tool.annotations === undefined ? {} : { annotations: tool.annotations }),
        inputSchema: schemaOf(tool.inputSchema),
        outputSchema: schemaOf(tool.outputSchema),
      },
      (args: ToolArguments) => {
        const { content, structuredContent, isError } = handle(args, facts);
        return {
          content,
          ...(structuredContent === undefined ? {} : { structuredContent }),
          ...(isError === undefined ? {} : { isError }),
        };
      },
    );
  }
  return server;
};

/** Starts the tracker on loopback; port 0 takes a free one. */
export const startTracker = (options: {
  readonly port: number;
  readonly checkToken: TokenCheck;
  readonly debug: boolean;
}): Promise<RunningServer> => {
  const handlers = createTrackerHandlers(createIssueStore());
  return startHttpFront({
    ...options,
    serve: async (request, response, facts) => {
      const handler = createMcpHandler(() => createServerFor(handlers, facts));
      const toNode = toNodeHandler(handler, { onerror: (error) => console.error(error) });
      // Node's own type does not satisfy the SDK's under exactOptionalPropertyTypes (method may be undefined).
      await toNode(request as NodeIncomingMessageLike, response);
    },
  });
};

// One MCP connection of the reports server, on the SDK's first line (revisions up to 2025-11-25).

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type ServerNotification,
  type ServerRequest,
  type Tool as WireTool,
} from '@modelcontextprotocol/sdk/types.js';
import type { Tool } from '#core/server.ts';
import { REPORTS_HANDLERS, type ToolStream } from '#demo/servers/reports/handlers.ts';
import { REPORTS_TOOLS } from '#demo/servers/reports/tools.ts';
import type { TokenFacts } from '#demo/servers/token-check.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const wireToolFromTool = ({
  name,
  title,
  description,
  inputSchema,
  outputSchema,
  annotations,
}: Tool): WireTool =>
  ({ name, title, description, inputSchema, outputSchema, annotations }) as unknown as WireTool;

const streamFromExtra = (extra: Extra): ToolStream => {
  const progressToken = extra._meta?.progressToken;
  return {
    signal: extra.signal,
    progress: async (progress, total, message) => {
      if (progressToken === undefined) return;
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total, message },
      });
    },
    event: (data) =>
      extra.sendNotification({
        method: 'notifications/message',
        params: { level: 'info', logger: 'queue', data },
      }),
  };
};

/** A server for one session, acting for whoever opened it. */
export const createReportsProtocol = (facts: TokenFacts): Server => {
  const server = new Server(
    { name: 'reports', version: '1.0.0' },
    { capabilities: { tools: {}, logging: {} } },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: REPORTS_TOOLS.map(wireToolFromTool) }));
  server.setRequestHandler(CallToolRequestSchema, async (request, extra) => {
    const handle = REPORTS_HANDLERS[request.params.name];
    if (handle === undefined)
      throw new McpError(ErrorCode.InvalidParams, `Tool ${request.params.name} not found`);
    const args = request.params.arguments ?? {};
    return { ...(await handle({ args, facts, stream: streamFromExtra(extra) })) };
  });
  return server;
};

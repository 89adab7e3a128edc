// A server on the official SDK that keeps something in each session: how often it was called. Two calls of one session that
// reached different replicas, or a session that began anew unseen, would show in the number. It also keeps the events of its
// streams, so that a client can come back for those it missed.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  type EventStore,
  StreamableHTTPServerTransport,
} from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CallToolRequestSchema,
  type JSONRPCMessage,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';

/** The tool as a manifest has it. With `ms` it says that it has begun, and counts after that time. */
export const COUNT_TOOL = {
  name: 'count',
  inputSchema: { type: 'object' as const },
  requiredScopes: [],
  tags: [],
  idempotent: false,
};

export type CountingServer = { readonly name: string; readonly url: string; stop(): Promise<void> };

const createProtocol = (replica: string): Server => {
  const server = new Server({ name: 'counter', version: '1.0.0' }, { capabilities: { tools: {} } });
  let count = 0;
  const { name, inputSchema } = COUNT_TOOL;
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name, inputSchema }] }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const ms = Number(params.arguments?.['ms'] ?? 0);
    const progressToken = extra._meta?.progressToken;
    if (progressToken !== undefined)
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress: 1 },
      });
    if (ms > 0) await sleep(ms);
    count += 1;
    return { content: [{ type: 'text', text: JSON.stringify({ replica, count }) }] };
  });
  return server;
};

/** Events of one session, by ids that count up, as a store has them that thinks of no other session. */
const createEventStore = (): EventStore => {
  const events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = [];
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message })),
    replayEventsAfter: async (lastEventId, { send }) => {
      const from = Number(lastEventId);
      const streamId = events[from - 1]?.streamId ?? '';
      for (const [index, event] of events.entries())
        if (index >= from && event.streamId === streamId) await send(String(index + 1), event.message);
      return streamId;
    },
  };
};

export const startCountingServer = async (name: string): Promise<CountingServer> => {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    // The SDK's own class does not satisfy its own interface under exactOptionalPropertyTypes.
    await createProtocol(name).connect(transport as Transport);
    return transport;
  };
  const server = createServer(async (request, response) => {
    const id = request.headers['mcp-session-id'];
    const transport = typeof id === 'string' ? sessions.get(id) : await open();
    if (transport === undefined) response.writeHead(404).end();
    else await transport.handleRequest(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    name,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

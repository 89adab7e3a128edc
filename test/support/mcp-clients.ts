// Official MCP clients of both lines, aimed at the gateway with a bearer token. The v2 line is pinned to the stateless
// revision, the v1 line stops at the last one with sessions: together they are both protocol eras.

import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

const INFO = { name: 'gateway-e2e', version: '1.0.0' };

const init = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

/** A connected client that speaks 2026-07-28. */
export const connectModern = async (url: string, token: string): Promise<ModernClient> => {
  const client = new ModernClient(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new ModernTransport(new URL(url), init(token)));
  return client;
};

/** A connected v1 client with its transport, which knows the session id. */
export const connectLegacy = async (
  url: string,
  token: string,
): Promise<{ client: LegacyClient; transport: LegacyTransport }> => {
  const client = new LegacyClient(INFO);
  // Long enough for a service to come back.
  const reconnectionOptions = {
    initialReconnectionDelay: 250,
    maxReconnectionDelay: 1_000,
    reconnectionDelayGrowFactor: 1.5,
    maxRetries: 40,
  };
  const transport = new LegacyTransport(new URL(url), { ...init(token), reconnectionOptions });
  // The SDK's own types disagree under exactOptionalPropertyTypes: `sessionId` is optional on one side only.
  await client.connect(transport as Transport);
  return { client, transport };
};

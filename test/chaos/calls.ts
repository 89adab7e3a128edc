// One call of the load, before it is sent: whose it is, what it asks, and what must become of it.

import type { Reason } from '#core/reason.ts';
import type { DemoUser } from '#demo/directory.ts';
import type { Server, Tenant } from '#test/chaos/people.ts';
import type { Version } from '#test/support/http-clients.ts';
import { STATELESS_META } from '#test/support/raw-call.ts';

export type Era = 'stateless' | 'session';

/** Somebody with a token for one server of a tenant, who speaks one era over one version of HTTP. */
export type Caller = {
  readonly user: DemoUser;
  readonly tenant: Tenant;
  readonly server: Server;
  readonly era: Era;
  readonly version: Version;
  readonly token: string;
  /** May use the closed tool. */
  readonly mayErase: boolean;
  /** Is lent a tool at times. */
  readonly borrows: boolean;
};

/**
 * Allowed: the call must work. As lent: it depends on the moment, and the book of loans knows. Otherwise the reasons a
 * refusal may have; it never reaches a server.
 */
export type Expectation = 'allowed' | 'as lent' | readonly Reason[];

export type Call = {
  /** JSON-RPC id, different for each call. */
  readonly id: string;
  readonly caller: Caller;
  readonly expect: Expectation;
  /** What kind it is, for the report. */
  readonly kind: string;
  readonly method: 'tools/call' | 'tools/list' | 'listen';
  readonly tool: string;
  /** The token it is sent with; the caller's own, or a bad one; empty: none. */
  readonly token: string;
  /** Server whose address it is sent to: the caller's own, or that of a stranger. */
  readonly tenantId: string;
  readonly serverId: string;
  /** Events that a stream is to have; 0: no stream. */
  readonly events: number;
};

export const pathOf = ({ tenantId, serverId }: Pick<Call, 'tenantId' | 'serverId'>): string =>
  `/t/${tenantId}/mcp/${serverId}`;

const LEGACY_VERSION = '2025-11-25';
const MODERN_VERSION = '2026-07-28';

const authorization = (token: string): Readonly<Record<string, string>> =>
  token === '' ? {} : { authorization: `Bearer ${token}` };

const accept = 'application/json, text/event-stream';

/** Headers of a call. @param session of a caller of the older era. */
export const headersOf = (call: Call, session: string | undefined): Readonly<Record<string, string>> => {
  const json = call.method === 'listen' ? {} : { 'content-type': 'application/json' };
  const named = session === undefined ? {} : { 'mcp-session-id': session };
  const mirrored = {
    'mcp-method': call.method,
    ...(call.tool === '' ? {} : { 'mcp-name': call.tool }),
  };
  return {
    accept,
    ...json,
    ...authorization(call.token),
    ...(call.caller.era === 'session'
      ? { 'mcp-protocol-version': LEGACY_VERSION, ...named }
      : { 'mcp-protocol-version': MODERN_VERSION, ...mirrored }),
  };
};

/** Body of a call; undefined: it has none. */
export const bodyOf = (call: Call): string | undefined => {
  if (call.method === 'listen') return undefined;
  const meta = call.caller.era === 'stateless' ? { _meta: STATELESS_META } : {};
  const asked = call.tool === '' ? {} : { name: call.tool, arguments: { events: call.events } };
  return JSON.stringify({ jsonrpc: '2.0', id: call.id, method: call.method, params: { ...asked, ...meta } });
};

/** What opens a session of the older era. */
export const initialiseBody = (id: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'initialize',
    params: {
      protocolVersion: LEGACY_VERSION,
      capabilities: {},
      clientInfo: { name: 'chaos', version: '1.0.0' },
    },
  });

// Sessions of callers of the older era: opened when one is needed, dropped when the gateway does not know it any more.

import { type Call, type Caller, headersOf, initialiseBody, pathOf } from '#test/chaos/calls.ts';
import type { Heard, HttpClient } from '#test/support/http-clients.ts';

export type Sessions = {
  /** The caller's session, opened if there is none; or why none could be opened. */
  of(call: Call): Promise<string | Heard>;
  /** A session that somebody else has at the same server, if there is one. */
  ofAnother(caller: Caller): string | undefined;
  drop(caller: Caller): void;
};

/** JSON-RPC id of the `initialize` that a call needed first. */
export const openingId = (call: Call): string => `${call.id}-open`;

const keyOf = ({ user, server }: Caller): string => `${user.name}@${server.id}`;

/** @param clientOf the client of a caller's version of HTTP. */
export const createSessions = (clientOf: (caller: Caller) => HttpClient, limitMs: number): Sessions => {
  const sessions = new Map<string, { readonly id: string; readonly caller: Caller }>();
  const open = async (call: Call): Promise<string | Heard> => {
    const { caller } = call;
    // Whatever is wrong with the call, the session is the caller's own.
    const own = {
      ...call,
      method: 'tools/call' as const,
      token: caller.token,
      tenantId: caller.tenant.id,
      serverId: caller.server.id,
    };
    const heard = await clientOf(caller).exchange({
      method: 'POST',
      path: pathOf(own),
      headers: headersOf(own, undefined),
      body: initialiseBody(openingId(call)),
      limitMs,
    });
    const id = heard.headers['mcp-session-id'];
    if (heard.status !== 200 || heard.end !== 'whole' || typeof id !== 'string') return heard;
    sessions.set(keyOf(caller), { id, caller });
    return id;
  };
  return {
    of: async (call) => sessions.get(keyOf(call.caller))?.id ?? open(call),
    ofAnother: ({ user, tenant, server }) =>
      [...sessions.values()].find(
        ({ caller }) =>
          caller.user.oid !== user.oid && caller.server.id === server.id && caller.tenant.id === tenant.id,
      )?.id,
    drop: (caller) => void sessions.delete(keyOf(caller)),
  };
};

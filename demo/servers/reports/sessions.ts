// Sessions of the reports server: each belongs to the person or application that opened it, and there is a limit.
// A session id is no credential (MCP, security considerations): the token is checked on every request beside it.

import type { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { TokenFacts } from '#demo/servers/token-check.ts';

const CAPACITY = 500;

type Session = { readonly owner: string; readonly transport: StreamableHTTPServerTransport };

export type Sessions = {
  open(id: string, facts: TokenFacts, transport: StreamableHTTPServerTransport): void;
  /** The session, if this caller opened it. */
  find(id: string, facts: TokenFacts): StreamableHTTPServerTransport | undefined;
  close(id: string): void;
  closeAll(): Promise<void>;
};

const ownerOf = (facts: TokenFacts): string => JSON.stringify([facts.tid, facts.oid, facts.sub]);

export const createSessions = (): Sessions => {
  const sessions = new Map<string, Session>();
  return {
    open: (id, facts, transport) => {
      sessions.set(id, { owner: ownerOf(facts), transport });
      const [oldest] = sessions;
      if (sessions.size <= CAPACITY || oldest === undefined) return;
      sessions.delete(oldest[0]);
      oldest[1].transport.close().catch((thrown: unknown) => console.error(thrown));
    },
    find: (id, facts) => {
      const session = sessions.get(id);
      return session?.owner === ownerOf(facts) ? session.transport : undefined;
    },
    close: (id) => {
      sessions.delete(id);
    },
    closeAll: async () => {
      await Promise.allSettled([...sessions.values()].map((session) => session.transport.close()));
      sessions.clear();
    },
  };
};

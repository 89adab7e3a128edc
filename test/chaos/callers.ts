// Everybody who calls: each person at each server of his tenant, spread over both eras and both versions of HTTP. Tokens are
// renewed one after another all the time, so that exchanges happen under every fault.

import { createHash } from 'node:crypto';
import type { Caller } from '#test/chaos/calls.ts';
import { BORROWERS, peopleOf, SERVERS, TENANTS } from '#test/chaos/people.ts';
import { forged, type Tokens } from '#test/chaos/tokens.ts';

export type Callers = {
  all(): readonly Caller[];
  /** Tokens that are no good, for the same person and server. */
  badToken(caller: Caller, kind: 'expired' | 'forged'): string;
  /** Gives the next caller a fresh token; leaves the old one where the provider does not answer. */
  renewNext(): Promise<void>;
  /** True for the digest of a token that any caller ever had: none of them may reach a server. */
  isOwnToken(digest: string): boolean;
};

/** As the MCP servers name a token. */
const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 16);

const everybody = () =>
  TENANTS.flatMap((tenant) =>
    peopleOf(tenant).flatMap((user, index) =>
      SERVERS.map((server) => ({
        user,
        tenant,
        server,
        era: index % 3 === 0 ? ('session' as const) : ('stateless' as const),
        version: index < 3 ? ('1.1' as const) : ('2' as const),
        mayErase: index % 2 === 0,
        borrows: BORROWERS.includes(index),
      })),
    ),
  );

/** @throws if the provider is away. */
export const createCallers = async (tokens: Tokens): Promise<Callers> => {
  const digests = new Set<string>();
  const known = (token: string): string => {
    digests.add(digestOf(token));
    return token;
  };
  const callers: Caller[] = [];
  const expired = new Map<string, string>();
  const keyOf = ({ tenant, server }: Pick<Caller, 'tenant' | 'server'>) => `${tenant.id}/${server.id}`;
  for (const caller of everybody()) {
    const { user, tenant, server } = caller;
    callers.push({ ...caller, token: known(await tokens.of(user, tenant.tid, server.id)) });
    if (!expired.has(keyOf(caller)))
      expired.set(keyOf(caller), known(await tokens.expired(user, tenant.tid, server.id)));
  }
  let turn = 0;
  return {
    all: () => callers,
    badToken: (caller, kind) =>
      kind === 'forged' ? forged(caller.token) : (expired.get(keyOf(caller)) ?? ''),
    renewNext: async () => {
      const index = turn % callers.length;
      turn += 1;
      const caller = callers[index];
      if (caller === undefined) return;
      const { user, tenant, server } = caller;
      const token = await tokens.of(user, tenant.tid, server.id).catch(() => undefined);
      if (token !== undefined) callers[index] = { ...caller, token: known(token) };
    },
    isOwnToken: (digest) => digests.has(digest),
  };
};

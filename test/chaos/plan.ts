// Which call comes next: drawn from a mix of what is allowed and what is not. For each kind it says what must become of it.

import type { Reason } from '#core/reason.ts';
import type { Callers } from '#test/chaos/callers.ts';
import type { Call, Caller } from '#test/chaos/calls.ts';
import { CLOSED_TOOL, LENT_TOOL, SERVERS, TENANTS } from '#test/chaos/people.ts';
import type { Random } from '#test/chaos/random.ts';

/** Kind of the calls that come with the session of somebody else. */
export const STOLEN = "another one's session";

type Draft = Partial<Omit<Call, 'id' | 'caller' | 'kind'>>;

type Kind = {
  readonly name: string;
  /** Among a hundred calls, about. */
  readonly weight: number;
  /** Callers it is for; all of them where absent. */
  readonly isFor?: (caller: Caller) => boolean;
  readonly draft: (caller: Caller, callers: Callers, random: Random) => Draft;
};

/** Events of a stream come five a second. */
const STREAM_EVENTS = [5, 10, 20];

const refused = (...reasons: readonly Reason[]) => ({ expect: reasons });

const otherOf = <T extends { readonly id: string }>(items: readonly T[], { id }: T): T =>
  items.find((item) => item.id !== id) ?? (items[0] as T);

const KINDS: readonly Kind[] = [
  { name: 'read', weight: 24, draft: () => ({ tool: 'read' }) },
  { name: 'count', weight: 12, draft: () => ({ tool: 'count' }) },
  { name: 'list', weight: 12, draft: () => ({ method: 'tools/list', tool: '' }) },
  {
    name: 'erase',
    weight: 6,
    isFor: ({ mayErase }) => mayErase,
    draft: () => ({ tool: CLOSED_TOOL }),
  },
  {
    name: 'stream',
    weight: 5,
    draft: (_caller, _callers, random) => ({ tool: 'watch', events: random.pick(STREAM_EVENTS) }),
  },
  {
    name: 'listen',
    weight: 1,
    isFor: ({ era }) => era === 'session',
    draft: () => ({ method: 'listen', tool: '' }),
  },
  {
    name: 'a tool without a grant',
    weight: 8,
    isFor: ({ mayErase }) => !mayErase,
    draft: () => ({ tool: CLOSED_TOOL, ...refused('tool_not_granted') }),
  },
  {
    name: 'a tool that is lent',
    weight: 10,
    isFor: ({ borrows }) => borrows,
    draft: () => ({ tool: LENT_TOOL, expect: 'as lent' }),
  },
  { name: 'no token', weight: 4, draft: () => ({ token: '', ...refused('token_missing') }) },
  {
    name: 'an expired token',
    weight: 4,
    draft: (caller, callers) => ({
      token: callers.badToken(caller, 'expired'),
      ...refused('token_expired'),
    }),
  },
  {
    name: 'a forged token',
    weight: 6,
    draft: (caller, callers) => ({
      token: callers.badToken(caller, 'forged'),
      ...refused('signature_invalid'),
    }),
  },
  {
    name: 'a token for another server',
    weight: 6,
    isFor: ({ era }) => era === 'stateless',
    draft: ({ server }) => ({ serverId: otherOf(SERVERS, server).id, ...refused('audience_mismatch') }),
  },
  {
    name: 'a stranger of another tenant',
    weight: 6,
    isFor: ({ era }) => era === 'stateless',
    draft: ({ tenant }) => ({
      tenantId: otherOf(TENANTS, tenant).id,
      ...refused('issuer_unknown', 'directory_tenant_refused'),
    }),
  },
  {
    name: STOLEN,
    weight: 6,
    isFor: ({ era }) => era === 'session',
    draft: () => refused('session_unknown'),
  },
];

const WEIGHTS = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));

export type Plan = {
  next(): Call;
  /** One that goes on for long: a stream of so many events. */
  longStream(events: number): Call;
};

/** @param random draws kinds and callers. */
export const createPlan = (callers: Callers, random: Random): Plan => {
  let count = 0;
  const callOf = (kind: string, caller: Caller, draft: Draft): Call => {
    count += 1;
    return {
      id: `call-${count}`,
      caller,
      kind,
      expect: 'allowed',
      method: 'tools/call',
      tool: 'read',
      token: caller.token,
      tenantId: caller.tenant.id,
      serverId: caller.server.id,
      events: 0,
      ...draft,
    };
  };
  return {
    next: () => {
      const kind = random.pick(WEIGHTS);
      const caller = random.pick(callers.all().filter(kind.isFor ?? (() => true)));
      return callOf(kind.name, caller, kind.draft(caller, callers, random));
    },
    longStream: (events) => callOf('long stream', random.pick(callers.all()), { tool: 'watch', events }),
  };
};

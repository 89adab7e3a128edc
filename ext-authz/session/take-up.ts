// What a call goes on from beside its session: an event of a stream (`Last-Event-ID`), a state that its server gave along.
// With an event comes the call whose answer the stream goes on with: its tool must still be the caller's. What a stream may
// show is asked of the policy anyway, by the names of its lists; the tool has to be one of them. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { EventCall, SeenEvent } from '#core/sealed-event-id.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { Place } from '#ext-authz/locate.ts';
import { sessionOwner } from '#ext-authz/session/open-call-session.ts';
import type { Sessions } from '#ext-authz/session/sessions.ts';

export type Thread = {
  /** The call whose answer a stream goes on with. */
  readonly resumed: EventCall | undefined;
  readonly resumption: { readonly resumeAfter?: string };
  readonly opensState: boolean;
};

type Taker = {
  readonly place: Place;
  readonly call: McpCall;
  readonly identity: Identity;
  readonly session: CallSession | undefined;
};

const openLastEvent = (
  sessions: Sessions,
  { place, call, identity, session }: Taker,
): Result<SeenEvent | undefined, Deny> => {
  if (call.lastEventId === undefined) return ok(undefined);
  const owner = sessionOwner(place, identity);
  return sessions.openEvent(call.lastEventId, { owner, session: session?.reference ?? '' });
};

const isGranted = (tool: string, lists: readonly ListOrder[]): boolean => {
  const visible = lists.find(({ kind }) => kind === 'tools')?.visible;
  return visible?.all === true || visible?.names.includes(tool) === true;
};

/**
 * @param known.lists of the call, as the policy answered for it.
 * @returns header_invalid for an event of somebody else, tool_not_granted, or what is wrong with the state.
 */
export const takeUp = (
  sessions: Sessions,
  taker: Taker,
  known: { readonly lists: readonly ListOrder[]; readonly nowSeconds: number },
): Result<Thread, Deny> => {
  const { place, call, identity } = taker;
  const event = openLastEvent(sessions, taker);
  if (!event.ok) return event;
  const resumed = event.value?.call;
  if (resumed?.tool !== undefined && !isGranted(resumed.tool, known.lists))
    return err(deny('tool_not_granted'));
  const by = { owner: sessionOwner(place, identity), nowSeconds: known.nowSeconds };
  const state = sessions.judgeState(place, call, by);
  if (!state.ok) return state;
  const resumption = event.value === undefined ? {} : { resumeAfter: event.value.id };
  return ok({ resumed, resumption, opensState: state.value });
};

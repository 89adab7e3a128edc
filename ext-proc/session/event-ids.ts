// Marks the ids of events on their way to a client of the older era, around whatever guard the stream has: see
// core/sealed-event-id.ts for why. An id that cannot be marked is taken away, and the client resumes from the one before.

import { type GuardOrders, isConditional } from '#core/guard-orders.ts';
import { type EventCall, sealEventId } from '#core/sealed-event-id.ts';
import { sessionReference } from '#core/sealed-session.ts';
import type { BodyGuard, BodyStep } from '#ext-proc/body-guard.ts';
import { createIdRewriter } from '#ext-proc/framing/rewrite-ids.ts';
import { ownerOf, type Sealer } from '#ext-proc/session/seal-answer.ts';

/** The call that the stream answers, also where it is resumed. */
export const eventCallOf = ({ method, tool, jsonRpcId }: GuardOrders): EventCall | undefined =>
  method === undefined
    ? undefined
    : {
        method,
        ...(tool === undefined ? {} : { tool }),
        ...(jsonRpcId === undefined ? {} : { jsonRpcId }),
      };

/**
 * @param opened the sealed id of the session that the answer opens; its events are the first of it.
 */
export const markEventIds = (
  guard: BodyGuard,
  {
    orders,
    sealer,
    opened,
  }: {
    readonly orders: GuardOrders;
    readonly sealer: Sealer;
    readonly opened: string | undefined;
  },
): BodyGuard => {
  const session = opened === undefined ? (orders.session ?? '') : sessionReference(opened);
  const place = { owner: ownerOf(orders), session };
  const call = eventCallOf(orders);
  const of = call === undefined ? {} : { call };
  // The policy judged this call with its arguments, which a stream that is resumed does not bring.
  const isOnce = isConditional(orders) && call !== undefined;
  const rewriter = createIdRewriter((id) =>
    isOnce ? undefined : sealEventId(sealer.key(), { id, ...of }, place),
  );
  const mark = (chunk: Uint8Array, step: BodyStep): BodyStep => {
    const bytes = step.kind === 'forward' ? chunk : step.bytes;
    const marked = rewriter.push(bytes);
    if (marked === bytes) return step;
    return { kind: step.kind === 'break-off' ? 'break-off' : 'replace', bytes: marked };
  };
  return {
    push: (chunk, endOfStream) => {
      const step = guard.push(chunk, endOfStream);
      return step instanceof Promise ? step.then((done) => mark(chunk, done)) : mark(chunk, step);
    },
    // What is held is a line without its end, which no reader looks at.
    mayEndHere: guard.mayEndHere,
    close: () => guard.close?.(),
    heldBytes: () => guard.heldBytes() + rewriter.heldBytes(),
  };
};

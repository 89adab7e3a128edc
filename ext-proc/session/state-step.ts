// The step that seals a `requestState` on its way to the client (core/sealed-request-state.ts). The last one: what the
// client gets is what it has to give back.

import { err, ok } from '#core/result.ts';
import { REQUEST_STATE, sealRequestState } from '#core/sealed-request-state.ts';
import { refused } from '#ext-proc/answer-fault.ts';
import { editMessage, resultOf } from '#ext-proc/message/answer-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import { ownerOf, type Sealer } from '#ext-proc/session/seal-answer.ts';

/** Any result with a state is sealed, whatever it calls itself: a client would send it on all the same. */
export const createStateStep =
  (sealer: Sealer): MessageStep =>
  (message, { orders }) => {
    const { stateTarget: target, method } = orders;
    if (target === undefined || method === undefined) return ok(message);
    const result = resultOf(message);
    if (result === undefined || !Object.hasOwn(result, REQUEST_STATE)) return ok(message);
    const state = result[REQUEST_STATE];
    if (typeof state !== 'string') return err(refused('request_state'));
    const startedAt = Math.floor(sealer.nowMs() / 1000);
    const place = { owner: ownerOf(orders), method, target };
    const sealed = sealRequestState(sealer.key(), sealer.nonce(), { state, place, startedAt });
    if (sealed === undefined) return err(refused('request_state'));
    return ok(editMessage(message, [{ path: ['result', REQUEST_STATE], value: sealed }]));
  };

// The call whose answer a resumed stream goes on with (`Last-Event-ID`): its tool must still be the caller's. What the stream
// may show is asked of the policy anyway, by the names of its lists; the tool has to be one of them. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { EventCall } from '#core/sealed-event-id.ts';

/**
 * @param lists of the stream, as the policy answered for it.
 * @returns tool_not_granted, or undefined where the call may go on; also where it reached for no tool, or is not known.
 */
export const judgeResumedCall = (
  call: EventCall | undefined,
  lists: readonly ListOrder[],
): Deny | undefined => {
  const { tool } = call ?? {};
  if (tool === undefined) return undefined;
  const visible = lists.find(({ kind }) => kind === 'tools')?.visible;
  const isGranted = visible?.all === true || visible?.names.includes(tool) === true;
  return isGranted ? undefined : deny('tool_not_granted');
};

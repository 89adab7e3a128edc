// The step that lists take: nobody sees what he may not use.

import type { GuardOrders } from '#core/guard-orders.ts';
import { ok } from '#core/result.ts';
import { type CutList, cutLists } from '#ext-proc/lists/cut-lists.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';

/** @param report hears what was cut. */
export const createListStep =
  (report: (lists: readonly CutList[], orders: GuardOrders) => void): MessageStep =>
  (message, { orders }) => {
    const cut = cutLists(message, { orders: orders.lists, era: orders.era });
    if (!cut.ok) return cut;
    report(cut.value.lists, orders);
    return ok(cut.value.message);
  };

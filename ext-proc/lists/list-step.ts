// The step that lists take: nobody sees what he may not use, nor a tool that is not the one that was approved.

import type { GuardOrders } from '#core/guard-orders.ts';
import { ok } from '#core/result.ts';
import { type CutList, cutLists } from '#ext-proc/lists/cut-lists.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import type { DriftWatch } from '#ext-proc/pins/drift-watch.ts';

/** @param parts.report hears what was cut. */
export const createListStep =
  (parts: {
    readonly report: (lists: readonly CutList[], orders: GuardOrders) => void;
    readonly drift: Pick<DriftWatch, 'saw'>;
  }): MessageStep =>
  (message, { orders, rules, replica }) => {
    const mode = rules.guard.drift;
    const pins = { version: rules.version, mode };
    const cut = cutLists(message, { orders: orders.lists, era: orders.era, pins });
    if (!cut.ok) return cut;
    const { lists, tools, stripped } = cut.value;
    parts.report(lists, orders);
    const { tenantId, serverId } = orders;
    if (tools.length > 0)
      parts.drift.saw(
        { tenantId, serverId, version: rules.version.version, replica },
        { tools, stripped, mode },
      );
    return ok(cut.value.message);
  };

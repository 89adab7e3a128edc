// What was made of a result by the same rules before. A list that was read from known bytes is the same result again
// (message/list-memory.ts), and of callers with the same grants all see the same of it: what is shown depends on nothing but
// the result, the orders and the pins, none of which ever changes.

import type { ListOrder, VisibleNames } from '#core/guard-orders.ts';
import type { JsonObject } from '#core/json.ts';
import type { ListRules } from '#ext-proc/lists/cut-list.ts';

/** Of one result: callers of different grants take turns. Bounds what is held to this many times the lists that are known. */
const MAX_CUTS = 4;

export type CutMemory<Cut> = {
  recall(result: JsonObject, rules: ListRules): Cut | undefined;
  /** @param cut what the rules make of the result, every time. */
  keep(result: JsonObject, rules: ListRules, cut: Cut): void;
};

const sameNames = (some: VisibleNames, others: VisibleNames): boolean => {
  if (some.all || others.all) return some.all === others.all;
  const { names } = others;
  return some.names.length === names.length && some.names.every((name, at) => name === names[at]);
};

const sameOrders = (some: readonly ListOrder[], others: readonly ListOrder[]): boolean =>
  some.length === others.length &&
  some.every(({ kind, visible }, at) => {
    const other = others[at];
    return other?.kind === kind && sameNames(visible, other.visible);
  });

const sameRules = (some: ListRules, others: ListRules): boolean =>
  some.era === others.era &&
  some.pins.version === others.pins.version &&
  some.pins.mode === others.pins.mode &&
  sameOrders(some.orders, others.orders);

/** A memory that lasts as long as the results in it. */
export const createCutMemory = <Cut>(): CutMemory<Cut> => {
  const cuts = new WeakMap<JsonObject, readonly { readonly rules: ListRules; readonly cut: Cut }[]>();
  return {
    recall: (result, rules) => cuts.get(result)?.find((known) => sameRules(known.rules, rules))?.cut,
    keep: (result, rules, cut) => {
      cuts.set(result, [{ rules, cut }, ...(cuts.get(result) ?? [])].slice(0, MAX_CUTS));
    },
  };
};

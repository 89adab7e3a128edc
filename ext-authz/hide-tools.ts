// Tools that a caller has and that are refused at the moment: a model must not be offered what will be refused. Pure.

import type { ListOrder } from '#core/guard-orders.ts';
import type { ServerVersion } from '#core/server.ts';

/** The lists of an answer without these tools. */
export const hideTools = (
  lists: readonly ListOrder[],
  version: ServerVersion,
  hidden: ReadonlySet<string>,
): readonly ListOrder[] => {
  if (hidden.size === 0) return lists;
  return lists.map((list) => {
    if (list.kind !== 'tools') return list;
    const names = list.visible.all ? version.tools.map(({ name }) => name) : list.visible.names;
    return { kind: list.kind, visible: { all: false, names: names.filter((name) => !hidden.has(name)) } };
  });
};

// Lists of a tenant are kept sorted by id, so that equal tenants are equal texts whatever order they came in.

type WithId = { readonly id: string };

/** The list with `item` in place of the one of its id, or added where it belongs. */
export const withItem = <T extends WithId>(items: readonly T[], item: T): readonly T[] => {
  const at = items.findIndex(({ id }) => id >= item.id);
  if (at === -1) return [...items, item];
  return items.toSpliced(at, items[at]?.id === item.id ? 1 : 0, item);
};

/** The list without the item of that id. */
export const withoutItem = <T extends WithId>(items: readonly T[], id: string): readonly T[] =>
  items.filter((item) => item.id !== id);

// Lists of a tenant are kept sorted by id, so that equal tenants are equal texts whatever order they came in.

type WithId = { readonly id: string };

/** The list with `item` in place of the one of its id, or added. */
export const withItem = <T extends WithId>(items: readonly T[], item: T): readonly T[] =>
  [...withoutItem(items, item.id), item].toSorted((a, b) => (a.id < b.id ? -1 : 1));

/** The list without the item of that id. */
export const withoutItem = <T extends WithId>(items: readonly T[], id: string): readonly T[] =>
  items.filter((item) => item.id !== id);

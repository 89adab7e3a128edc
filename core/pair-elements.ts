// Which elements of two lists are the same ones. Comparing by position would call every tool behind a removed one
// changed, and nobody could read that.

import { canonicalJson } from '#core/canonical-json.ts';
import { isJsonObject, type Json } from '#core/json.ts';

/** Lists whose elements have a name of their own; elements of any other list are known by their whole value. */
const NAMED_BY: Readonly<Record<string, string>> = {
  tools: 'name',
  constraints: 'name',
  bindings: 'issuerId',
};

/** Places of one element in the former and in the latter list. */
export type Pair = { readonly from: number; readonly to: number };

const identityOf = (element: Json, listName: string): string => {
  const member = NAMED_BY[listName];
  const name = member !== undefined && isJsonObject(element) ? element[member] : undefined;
  return typeof name === 'string' ? `name ${name}` : `value ${canonicalJson(element)}`;
};

/** Identities of all elements; equal ones are numbered, so that each is met once. */
const identitiesOf = (elements: readonly Json[], listName: string): readonly string[] => {
  const seen = new Map<string, number>();
  return elements.map((element) => {
    const identity = identityOf(element, listName);
    const count = seen.get(identity) ?? 0;
    seen.set(identity, count + 1);
    return `${count} ${identity}`;
  });
};

/** First place in `ends` whose pair does not come before `to`. */
const placeFor = (ends: readonly Link[], to: number): number => {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle]?.pair.to ?? 0) < to) low = middle + 1;
    else high = middle;
  }
  return low;
};

type Link = { readonly pair: Pair; readonly previous: Link | undefined };

/** The longest run of pairs whose order is kept, `pairs` ascending by `from`. In n·log n: a list may be long. */
const longestRun = (pairs: readonly Pair[]): readonly Pair[] => {
  const ends: Link[] = [];
  for (const pair of pairs) {
    const place = placeFor(ends, pair.to);
    ends[place] = { pair, previous: ends[place - 1] };
  }
  const run: Pair[] = [];
  for (let link = ends.at(-1); link !== undefined; link = link.previous) run.push(link.pair);
  return run.toReversed();
};

/** Pairs of elements that both lists have, ascending in both; one that moved past others is in no pair. */
export const pairElements = (
  lists: { readonly from: readonly Json[]; readonly to: readonly Json[] },
  listName: string,
): readonly Pair[] => {
  const places = new Map(identitiesOf(lists.to, listName).map((identity, at) => [identity, at]));
  const pairs = identitiesOf(lists.from, listName).flatMap((identity, from): Pair[] => {
    const to = places.get(identity);
    return to === undefined ? [] : [{ from, to }];
  });
  return longestRun(pairs);
};

// The difference of two JSON values, place by place. A pointer to what was removed leads into the former value, any
// other into the latter, so that it can be followed in a document the reader has.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { pairElements } from '#core/pair-elements.ts';
import { isSameJson } from '#core/same-json.ts';

export type JsonChange =
  | { readonly change: 'added'; readonly pointer: string; readonly after: Json }
  | { readonly change: 'removed'; readonly pointer: string; readonly before: Json }
  | { readonly change: 'changed'; readonly pointer: string; readonly before: Json; readonly after: Json };

/** Where both values are, and the name of the member that holds them. */
type Place = { readonly from: string; readonly to: string; readonly name: string };

/** RFC 6901 §3. */
const escapeToken = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const added = (pointer: string, after: Json): JsonChange => ({ change: 'added', pointer, after });
const removed = (pointer: string, before: Json): JsonChange => ({ change: 'removed', pointer, before });

const diffArrays = (before: readonly Json[], after: readonly Json[], place: Place): JsonChange[] => {
  const pairs = pairElements({ from: before, to: after }, place.name);
  const kept = { from: new Set(pairs.map(({ from }) => from)), to: new Set(pairs.map(({ to }) => to)) };
  const gone = before.flatMap((item, at) =>
    kept.from.has(at) ? [] : [removed(`${place.from}/${at}`, item)],
  );
  const come = after.flatMap((item, at) => (kept.to.has(at) ? [] : [added(`${place.to}/${at}`, item)]));
  const inside = pairs.flatMap(({ from, to }) =>
    diffAt(before[from] ?? null, after[to] ?? null, {
      from: `${place.from}/${from}`,
      to: `${place.to}/${to}`,
      name: '',
    }),
  );
  return [...gone, ...come, ...inside];
};

/** Own members only: a key such as `__proto__` in a tool's schema is a key like any other. */
const membersOf = (value: JsonObject): ReadonlyMap<string, Json> =>
  new Map(Object.entries(value).filter(([, member]) => member !== undefined));

const diffMember = (name: string, values: readonly [Json | undefined, Json | undefined], place: Place) => {
  const [before, after] = values;
  const token = escapeToken(name);
  const at = { from: `${place.from}/${token}`, to: `${place.to}/${token}`, name };
  if (before === undefined) return after === undefined ? [] : [added(at.to, after)];
  return after === undefined ? [removed(at.from, before)] : diffAt(before, after, at);
};

const diffObjects = (before: JsonObject, after: JsonObject, place: Place): JsonChange[] => {
  const [old, current] = [membersOf(before), membersOf(after)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .toSorted()
    .flatMap((name) => diffMember(name, [old.get(name), current.get(name)], place));
};

const diffAt = (before: Json, after: Json, place: Place): JsonChange[] => {
  if (isSameJson(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) return diffArrays(before, after, place);
  if (isJsonObject(before) && isJsonObject(after)) return diffObjects(before, after, place);
  return [{ change: 'changed', pointer: place.to, before, after }];
};

/**
 * What makes `after` of `before`: take out what was removed, last first; put in what was added, first first; replace
 * what changed. Empty if both are one document.
 */
export const diffJson = (before: Json, after: Json): readonly JsonChange[] =>
  diffAt(before, after, { from: '', to: '', name: '' });

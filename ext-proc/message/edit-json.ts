// Values changed within a JSON text, all others as they stand in it. Works only on text that parseStrictJson has
// accepted.

import type { Json } from '#core/json.ts';
import { endOfValue, startOfRoot, walkElements, walkMembers } from '#ext-proc/message/json-spans.ts';

/** Keys and indices from the root. */
export type JsonPath = readonly (string | number)[];

/**
 * `value` undefined takes the place out; a member that is not there yet is added. `key`: the member the path leads to is
 * called that from then on, with a number where the object has that name already.
 */
export type JsonEdit =
  | { readonly path: JsonPath; readonly value: Json | undefined }
  | { readonly path: JsonPath; readonly key: string };

/** Edits by the next step of their paths. */
type Branch = {
  readonly edits: Map<string | number, Branch>;
  leaf?: { readonly value: Json | undefined };
  key?: string;
};

const grow = (edits: readonly JsonEdit[]): Branch => {
  const root: Branch = { edits: new Map() };
  for (const edit of edits) {
    let branch = root;
    for (const step of edit.path) {
      const next = branch.edits.get(step) ?? { edits: new Map() };
      branch.edits.set(step, next);
      branch = next;
    }
    if ('key' in edit) branch.key = edit.key;
    else branch.leaf = { value: edit.value };
  }
  return root;
};

/** The new text of the value at `start`; undefined: it is taken out. */
const rewrite = (text: string, start: number, branch: Branch): string | undefined => {
  if (branch.leaf !== undefined)
    return branch.leaf.value === undefined ? undefined : JSON.stringify(branch.leaf.value);
  return text[start] === '{' ? rewriteObject(text, start, branch) : rewriteArray(text, start, branch);
};

const rewriteItem = (text: string, start: number, branch: Branch | undefined): string | undefined =>
  branch === undefined || (branch.leaf === undefined && branch.edits.size === 0)
    ? text.slice(start, endOfValue(text, start))
    : rewrite(text, start, branch);

const keysOf = (text: string, start: number): ReadonlySet<string> => {
  const keys = new Set<string>();
  walkMembers(text, start, (key, at) => {
    keys.add(key);
    return endOfValue(text, at);
  });
  return keys;
};

/** Of a name that stood twice one reader takes the first value and another the last: the second gets a number. */
const createNames = (taken: ReadonlySet<string>): ((wanted: string) => string) => {
  const used = new Set(taken);
  const times = new Map<string, number>();
  return (wanted) => {
    let number = times.get(wanted) ?? 1;
    const named = (): string => (number === 1 ? wanted : `${wanted} ${number}`);
    while (used.has(named())) number += 1;
    const name = named();
    used.add(name);
    times.set(wanted, number);
    return name;
  };
};

const rewriteObject = (text: string, start: number, { edits }: Branch): string => {
  const renames = [...edits.values()].some(({ key }) => key !== undefined);
  const nameFor = createNames(renames ? keysOf(text, start) : new Set());
  const members: string[] = [];
  const met = new Set<string>();
  const keep = (key: string, value: string | undefined): void => {
    if (value !== undefined) members.push(`${JSON.stringify(key)}:${value}`);
  };
  walkMembers(text, start, (key, at) => {
    met.add(key);
    const branch = edits.get(key);
    keep(branch?.key === undefined ? key : nameFor(branch.key), rewriteItem(text, at, branch));
    return endOfValue(text, at);
  });
  for (const [key, { leaf }] of edits)
    if (typeof key === 'string' && !met.has(key) && leaf?.value !== undefined)
      keep(key, JSON.stringify(leaf.value));
  return `{${members.join(',')}}`;
};

const rewriteArray = (text: string, start: number, { edits }: Branch): string => {
  const elements: string[] = [];
  let index = 0;
  walkElements(text, start, (at) => {
    const element = rewriteItem(text, at, edits.get(index));
    if (element !== undefined) elements.push(element);
    index += 1;
    return endOfValue(text, at);
  });
  return `[${elements.join(',')}]`;
};

/** The text with all edits made. Paths lead to values that are there, except that the last step may name a new member. */
export const editJson = (text: string, edits: readonly JsonEdit[]): string =>
  rewrite(text, startOfRoot(text), grow(edits)) ?? 'null';

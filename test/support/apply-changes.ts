// Applies a difference the way its documentation says it can be applied: what proves that it says everything.

import type { Json } from '#core/json.ts';
import type { JsonChange } from '#core/json-diff.ts';

type Container = Map<string, unknown> | unknown[];

/** JSON objects as maps, so that no key is special. */
const open = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(open);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, member]) => [key, open(member)]));
};

const close = (value: unknown): Json => {
  if (Array.isArray(value)) return value.map(close);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, member]) => [key, close(member)]));
  return value as Json;
};

const tokensOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

const enter = (container: Container, token: string): Container =>
  (Array.isArray(container) ? container[Number(token)] : container.get(token)) as Container;

const removeAt = (container: Container, token: string): void => {
  if (Array.isArray(container)) container.splice(Number(token), 1);
  else container.delete(token);
};

const addAt = (container: Container, token: string, value: unknown): void => {
  if (Array.isArray(container)) container.splice(Number(token), 0, value);
  else container.set(token, value);
};

const replaceAt = (container: Container, token: string, value: unknown): void => {
  if (Array.isArray(container)) container[Number(token)] = value;
  else container.set(token, value);
};

const applyOne = (root: Map<string, unknown>, change: JsonChange): void => {
  const tokens = ['', ...tokensOf(change.pointer)];
  const last = tokens.pop() ?? '';
  const container = tokens.reduce<Container>(enter, root);
  if (change.change === 'removed') removeAt(container, last);
  else if (change.change === 'added') addAt(container, last, open(change.after));
  else replaceAt(container, last, open(change.after));
};

/** The value after the changes: removals from the last to the first, then additions, then replacements. */
export const applyChanges = (before: Json | undefined, changes: readonly JsonChange[]): Json | undefined => {
  const root = new Map<string, unknown>(before === undefined ? [] : [['', open(before)]]);
  const of = (kind: JsonChange['change']) => changes.filter(({ change }) => change === kind);
  for (const change of [...of('removed').toReversed(), ...of('added'), ...of('changed')])
    applyOne(root, change);
  return root.has('') ? close(root.get('')) : undefined;
};

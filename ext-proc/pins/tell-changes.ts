// A tool that drifts, as it is told: a digest to tell what is served apart, and the difference to what was approved, cut
// to a size that a server cannot blow up.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import type { Json } from '#core/json.ts';
import { diffJson, type JsonChange } from '#core/json-diff.ts';
import { MAX_DRIFT_CHANGES, MAX_DRIFT_TEXT } from '#core/tool-drift.ts';
import type { Definition } from '#ext-proc/pins/approved-tool.ts';

const cutText = (text: string): string =>
  text.length > MAX_DRIFT_TEXT ? text.slice(0, MAX_DRIFT_TEXT).toWellFormed() : text;

/** A value with much in it is told as the beginning of its JSON. */
const cutValue = (value: Json): Json => {
  if (typeof value === 'string') return cutText(value);
  const text = JSON.stringify(value);
  return text.length > MAX_DRIFT_TEXT ? cutText(text) : value;
};

const cutChange = (change: JsonChange): JsonChange => {
  const pointer = cutText(change.pointer);
  if (change.change === 'added') return { ...change, pointer, after: cutValue(change.after) };
  if (change.change === 'removed') return { ...change, pointer, before: cutValue(change.before) };
  return { ...change, pointer, before: cutValue(change.before), after: cutValue(change.after) };
};

/** SHA-256, hex, of the members that are pinned. */
export const digestOf = (served: Definition): string =>
  createHash('sha256').update(canonicalJson(served)).digest('hex');

/** From what was approved to what is served, the first ones where there are many. */
export const changesOf = (approved: Definition, served: Definition): readonly JsonChange[] =>
  diffJson(approved, served).slice(0, MAX_DRIFT_CHANGES).map(cutChange);

/** Names of the pinned members that differ, for the log: never what they say. */
export const differingMembers = (changes: readonly JsonChange[]): readonly string[] => [
  ...new Set(changes.map(({ pointer }) => pointer.split('/')[1] ?? '')),
];

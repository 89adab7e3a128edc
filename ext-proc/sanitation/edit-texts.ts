// Rewritten texts as edits of the message they stand in. Text that is JSON is edited within, so that what repeats
// structured content goes on repeating it.

import type { Json, JsonObject } from '#core/json.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import { editJson, type JsonEdit, type JsonPath } from '#ext-proc/message/edit-json.ts';
import type { TextPlace } from '#ext-proc/sanitation/texts/text-place.ts';

export type RewrittenText = { readonly place: TextPlace; readonly text: string };

const valueAt = (value: JsonObject, path: JsonPath): Json | undefined =>
  path.reduce<Json | undefined>(
    (inside, step) => (inside as Record<string | number, Json> | undefined)?.[step],
    value,
  );

/** Names that become the same are told apart by a number: a name stands once in an object. */
const createNames = () => {
  const used = new Map<string, number>();
  return (name: string): string => {
    const times = (used.get(name) ?? 0) + 1;
    used.set(name, times);
    return times === 1 ? name : `${name} ${times}`;
  };
};

export const editsOf = (message: AnswerMessage, rewritten: readonly RewrittenText[]): readonly JsonEdit[] => {
  const edits: JsonEdit[] = [];
  const within = new Map<string, { readonly path: JsonPath; readonly edits: JsonEdit[] }>();
  const nameOf = new Map<string, (name: string) => string>();
  const editTo = ({ place, text }: RewrittenText): JsonEdit => {
    const path = place.inner ?? place.path;
    if (!place.isKey) return { path, value: text };
    // Texts that repeat each other get the same names: they are numbered within each.
    const whole = place.inner === undefined ? '' : JSON.stringify(place.path);
    const names = nameOf.get(whole) ?? createNames();
    nameOf.set(whole, names);
    return { path, key: names(text) };
  };
  for (const one of rewritten) {
    const { path, inner } = one.place;
    if (inner === undefined) edits.push(editTo(one));
    else {
      const key = JSON.stringify(path);
      const group = within.get(key) ?? { path, edits: [] };
      within.set(key, group);
      group.edits.push(editTo(one));
    }
  }
  for (const { path, edits: inside } of within.values()) {
    const text = valueAt(message.value, path);
    if (typeof text === 'string') edits.push({ path, value: editJson(text, inside) });
  }
  return edits;
};

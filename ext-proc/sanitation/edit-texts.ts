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

export const editsOf = (message: AnswerMessage, rewritten: readonly RewrittenText[]): readonly JsonEdit[] => {
  const edits: JsonEdit[] = [];
  const within = new Map<string, { readonly path: JsonPath; readonly edits: JsonEdit[] }>();
  const editTo = ({ place, text }: RewrittenText): JsonEdit => {
    const path = place.inner ?? place.path;
    return place.isKey ? { path, key: text } : { path, value: text };
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

// The step that tells values of a tool's result outside of it: in a response header, or as a count. Only values that the
// rule lists are told, so that neither a header nor a metric can carry content out.

import { isForTool } from '#core/guard-in-force.ts';
import type { Json, JsonObject } from '#core/json.ts';
import { parsePointer, placesOf } from '#core/json-pointer.ts';
import type { Extraction } from '#core/response-guard.ts';
import { ok } from '#core/result.ts';
import { resultOf } from '#ext-proc/message/answer-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import type { TransformMeasures } from '#ext-proc/transform-measures.ts';

const OTHER = 'other';

/** What a header can carry whatever reads it (RFC 9110 §5.5). */
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const told = (value: Json, { values }: Extraction): string => {
  const text = typeof value === 'object' ? '' : String(value);
  return values.includes(text) ? text : OTHER;
};

/** @returns undefined where the result has nothing in that place: nothing is told then. */
const extract = (result: JsonObject, rule: Extraction): string | undefined => {
  const tokens = parsePointer(rule.pointer);
  const structured = Object.hasOwn(result, 'structuredContent') ? result['structuredContent'] : undefined;
  if (tokens === undefined || structured === undefined) return undefined;
  const [place] = placesOf(structured, tokens);
  return place === undefined ? undefined : told(place.value, rule);
};

/** Runs behind whatever may change a message: what is redacted is not told. */
export const createExtractionStep =
  (measures: TransformMeasures): MessageStep =>
  (message, { rules, orders, kind, headers }) => {
    if (kind !== 'tool-result') return ok(message);
    const result = resultOf(message);
    if (result === undefined) return ok(message);
    const tell = ({ name, label, header }: Extraction, value: string): void => {
      if (label === true) measures.extracted(name, value, orders);
      if (header !== undefined && HEADER_TEXT.test(value)) headers?.set(header, [value]);
    };
    for (const rule of rules.guard.extractions.filter((one) => isForTool(one, orders.tool))) {
      const value = extract(result, rule);
      if (value !== undefined) tell(rule, value);
    }
    return ok(message);
  };

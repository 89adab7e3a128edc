// Holds a value against a JSON Schema (2020-12) that somebody else wrote: it is made ready once, and whatever it says, the
// work stays in proportion to the value, nothing is fetched, and nothing of it is run as code.

import type { Json, JsonObject } from '#core/json.ts';
import { buildCheck } from '#runtime/json-schema/build-check.ts';
import { EXHAUSTED } from '#runtime/json-schema/run.ts';
import { UnusableSchema } from '#runtime/json-schema/unusable.ts';
import type { SchemaVerdict, UnusableCause } from '#runtime/json-schema/verdict.ts';

type Ready = { readonly start: ReturnType<typeof buildCheck> } | { readonly unusable: UnusableCause };

/**
 * Steps a value may take, beside one for every character of its text: a step is a schema, a member or an item looked
 * at. Honest schemas take a tenth of that; two references to itself under `oneOf` would take 2^64.
 */
const BASE_STEPS = 50_000;

const VALID: SchemaVerdict = { kind: 'valid' };

const makeReady = (schema: JsonObject): Ready => {
  try {
    return { start: buildCheck(schema) };
  } catch (thrown) {
    if (thrown instanceof UnusableSchema) return { unusable: thrown.reason };
    throw thrown;
  }
};

// Pinned schemas are immutable values that live as long as the version they belong to.
const ready = new WeakMap<JsonObject, Ready>();

const readyOf = (schema: JsonObject): Ready => {
  const known = ready.get(schema) ?? makeReady(schema);
  ready.set(schema, known);
  return known;
};

const hold = (start: ReturnType<typeof buildCheck>, value: Json, steps: number): SchemaVerdict => {
  const { check, run } = start(steps);
  try {
    return check(value, run) ? VALID : { kind: 'invalid', fault: run.fault() };
  } catch (thrown) {
    if (thrown === EXHAUSTED) return { kind: 'exhausted' };
    throw thrown;
  }
};

/**
 * Never throws for anything a schema or a value holds.
 * @param schema made ready at its first use, by identity: it must not be changed afterwards.
 * @param value of parseStrictJson: no deeper than its rules allow.
 * @param textLength of the JSON text the value came in, characters or bytes: what the work may be in proportion to.
 */
export const judgeBySchema = (
  schema: JsonObject,
  value: Json,
  { textLength }: { readonly textLength: number },
): SchemaVerdict => {
  const known = readyOf(schema);
  if ('unusable' in known) return { kind: 'unusable', cause: known.unusable };
  return hold(known.start, value, BASE_STEPS + textLength);
};

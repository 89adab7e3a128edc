// Redaction of `structuredContent`, and its fit into the schema that the tool was approved with.

import type { Json } from '#core/json.ts';
import { placesOf } from '#core/json-pointer.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, blocked } from '#ext-proc/answer-fault.ts';
import { editJson, type JsonEdit, type JsonPath } from '#ext-proc/message/edit-json.ts';
import { createTextRedactor } from '#ext-proc/transforms/redact-text.ts';
import { redactData } from '#ext-proc/transforms/redact-values.ts';
import type { PointerRule, RedactionPlan } from '#ext-proc/transforms/redaction-plan.ts';
import type { TakenValue, Tally } from '#ext-proc/transforms/taken-values.ts';

/** Whether a value fits the tool's pinned `outputSchema`. */
export type FitsSchema = (structured: Json) => boolean;

export type RedactedStructure = {
  /** From the structured content's own root. */
  readonly edits: readonly JsonEdit[];
  /** What pointers took out: other texts repeat it. */
  readonly taken: readonly TakenValue[];
};

/** Kinds of place that are tried one by one. A schema of more that redactions do not fit is not what they were made for. */
const MAX_PLACES = 64;

/** Every scalar in a value, as text. */
const scalarsOf = (value: Json): readonly string[] => {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(scalarsOf) : [];
};

// The document itself must stay an object (MCP, structured content), so it is taken out, not replaced by a text.
const pointerEdits = (structured: Json, { tokens, replacement }: PointerRule) =>
  placesOf(structured, tokens).map(({ path, value }) => ({
    edit: { path, value: path.length === 0 ? undefined : replacement },
    scalars: scalarsOf(value),
  }));

const edited = (value: Json, edits: readonly JsonEdit[]): Json =>
  JSON.parse(editJson(JSON.stringify(value), edits)) as Json;

const kindOfPlace = (path: JsonPath): string =>
  JSON.stringify(path.map((step) => (typeof step === 'number' ? '*' : step)));

/**
 * Where a text does not fit (a number, an enumeration), the place is taken out instead.
 * @returns undefined where the schema has room for neither.
 */
const fitEdits = (
  structured: Json,
  edits: readonly JsonEdit[],
  fits: FitsSchema,
): readonly JsonEdit[] | undefined => {
  const isFit = (some: readonly JsonEdit[]): boolean => fits(edited(structured, some));
  if (isFit(edits)) return edits;
  const places = Map.groupBy(edits, ({ path }) => kindOfPlace(path));
  if (places.size > MAX_PLACES) return undefined;
  const fitted = [...places.values()].flatMap((alike) =>
    isFit(alike) ? alike : alike.map(({ path }) => ({ path, value: undefined })),
  );
  return isFit(fitted) ? fitted : undefined;
};

/**
 * @param fits undefined where no schema is pinned, or results are not held against it.
 * @returns fault `redaction` where what is redacted does not fit the schema.
 */
export const redactStructured = (
  structured: Json,
  {
    plan,
    fits,
    tally,
  }: { readonly plan: RedactionPlan; readonly fits: FitsSchema | undefined; readonly tally: Tally },
): Result<RedactedStructure, AnswerFault> => {
  const pointed: JsonEdit[] = [];
  const taken: TakenValue[] = [];
  for (const rule of plan.pointers) {
    const { name, replacement } = rule;
    const found = pointerEdits(structured, rule);
    if (found.length > 0) tally(name, found.length);
    for (const { edit, scalars } of found) {
      pointed.push(edit);
      for (const value of scalars) taken.push({ value, replacement, name });
    }
  }
  const without = edited(structured, pointed);
  // A number elsewhere that happens to be equal says nothing of the one that was taken out.
  const { plain } = createTextRedactor(plan.patterns, [], tally);
  const redactor = { ...createTextRedactor(plan.patterns, taken, tally), plain };
  const edits = [...pointed, ...redactData(without, redactor)];
  if (edits.length === 0 || fits === undefined || !fits(structured)) return ok({ edits, taken });
  const fitted = fitEdits(structured, edits, fits);
  return fitted === undefined ? err(blocked('redaction')) : ok({ edits: fitted, taken });
};

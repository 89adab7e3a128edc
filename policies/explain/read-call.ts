// The call to be explained: a policy input, or a line of the decision log, whose input is taken. Pure.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

export type AskedCall = {
  readonly input: JsonObject;
  /** Pointers to what the decision log left out or replaced; what rules make of those is not what they made of the call. */
  readonly hidden: readonly string[];
};

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** The error says what the text is not. */
export const readCall = (text: string): Result<AskedCall, string> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('is not JSON: give it a policy input, or one line of the decision log');
  }
  if (!isJsonObject(value)) return err('is not an object');
  const { input, erased, masked } = value;
  const asked = isJsonObject(input) ? input : value;
  if (!isJsonObject(asked['identity']) || !isJsonObject(asked['call']))
    return err('has no identity and call: policies/input.schema.json says what a policy is asked');
  return ok({ input: asked, hidden: [...strings(erased), ...strings(masked)] });
};

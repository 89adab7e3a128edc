// Writes a preset out: the fields of an issuer with the parameters in their places and what the sender says himself over
// them. What comes out is an issuer like any other; nothing remembers that a preset was used.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { ISSUER_PRESETS, type IssuerPreset } from '#registry/commands/issuer-presets.ts';
import type { Fault } from '#registry/commands/outcome.ts';

type Parameters = Readonly<Record<string, string>>;

const judgeParameter = (preset: IssuerPreset, name: string, given: Json | undefined): Fault | undefined => {
  const parameter = Object.hasOwn(preset.parameters, name) ? preset.parameters[name] : undefined;
  const pointer = `/parameters/${name}`;
  if (parameter === undefined) return { pointer, message: 'unknown parameter of this preset' };
  const value = given ?? parameter.default;
  if (value === undefined) return { pointer, message: `is required: ${parameter.description}` };
  return typeof value === 'string' && parameter.pattern.test(value)
    ? undefined
    : { pointer, message: `expected ${parameter.description}` };
};

const parseParameters = (preset: IssuerPreset, given: JsonObject): Result<Parameters, readonly Fault[]> => {
  const names = new Set([...Object.keys(preset.parameters), ...Object.keys(given)]);
  const givenFor = (name: string): Json | undefined => (Object.hasOwn(given, name) ? given[name] : undefined);
  const faults = [...names].flatMap((name) => judgeParameter(preset, name, givenFor(name)) ?? []);
  if (faults.length > 0) return err(faults);
  return ok(
    Object.fromEntries(
      Object.entries(preset.parameters).map(([name, parameter]) => [
        name,
        String(givenFor(name) ?? parameter.default),
      ]),
    ),
  );
};

/** The value with `<name>` filled in, in every text of it. A parameter's own text is not looked at again. */
const fillIn = (value: Json, parameters: Parameters): Json => {
  if (typeof value === 'string')
    return value.replaceAll(/<(\w+)>/g, (_whole, name: string) => parameters[name] ?? '');
  if (Array.isArray(value)) return value.map((item: Json) => fillIn(item, parameters));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillIn(item as Json, parameters)]),
  );
};

/** What the sender says goes before what the preset says; of the claims, each for itself. */
const putOver = (fields: JsonObject, said: JsonObject): JsonObject => {
  const claims =
    isJsonObject(fields['claims']) && isJsonObject(said['claims'])
      ? { claims: { ...fields['claims'], ...said['claims'] } }
      : {};
  return { ...fields, ...said, ...claims };
};

/** An issuer as it was sent, its preset written out; the same where it names none. */
export const expandPreset = (body: JsonObject): Result<JsonObject, readonly Fault[]> => {
  const { preset: name, parameters = {}, ...said } = body;
  if (name === undefined)
    return body['parameters'] === undefined
      ? ok(body)
      : err([{ pointer: '/parameters', message: 'belong to a preset, and none is named' }]);
  const preset =
    typeof name === 'string' && Object.hasOwn(ISSUER_PRESETS, name) ? ISSUER_PRESETS[name] : undefined;
  if (preset === undefined)
    return err([{ pointer: '/preset', message: `must be one of ${Object.keys(ISSUER_PRESETS).join(', ')}` }]);
  const filled = parseParameters(preset, isJsonObject(parameters) ? parameters : {});
  if (!filled.ok) return filled;
  return ok(putOver(fillIn(preset.fields, filled.value) as JsonObject, said));
};

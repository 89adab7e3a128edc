// Checks requests against their schemas and says everything that is wrong, each fault with the place it is in.

import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import type { Json } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { fillDefaults, inputForm, type JsonSchema } from '#registry/api/json-schema.ts';
import { MAX_FAULTS } from '#registry/api/problem.ts';
import type { Fault } from '#registry/commands/outcome.ts';

// TypeBox stops at eight by itself, and a client would mend eight to be told the ninth.
Settings.Set({ maxErrors: MAX_FAULTS });

type SchemaFault = {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
};

/** RFC 6901 §3. */
export const escapeToken = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const each = (fault: SchemaFault, names: unknown, message: string): Fault[] =>
  (Array.isArray(names) ? names : []).map((name) => ({
    pointer: `${fault.instancePath}/${escapeToken(String(name))}`,
    message,
  }));

/** RFC 7518 §6: members that only private and symmetric keys have. */
const PRIVATE_JWK_MEMBERS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

const unknownFields = (fault: SchemaFault): Fault[] =>
  each(fault, fault.params['additionalProperties'], 'unknown field').map((found) =>
    /\/jwk\/\w+$/.test(found.pointer) && PRIVATE_JWK_MEMBERS.has(found.pointer.split('/').at(-1) ?? '')
      ? { ...found, message: 'is part of a private key: send the public key only, and replace this one' }
      : found,
  );

const faultsFrom = (fault: SchemaFault): Fault[] => {
  const { keyword, params, instancePath } = fault;
  // Said again, and better, by `additionalProperties` of the object around it.
  if (keyword === 'boolean') return [];
  if (keyword === 'additionalProperties') return unknownFields(fault);
  if (keyword === 'required') return each(fault, params['requiredProperties'], 'is required');
  if (keyword === 'enum' && Array.isArray(params['allowedValues']))
    return [{ pointer: instancePath, message: `must be one of ${params['allowedValues'].join(', ')}` }];
  return [{ pointer: instancePath, message: fault.message }];
};

export type Validate = (value: unknown) => Result<Json, readonly Fault[]>;

/** A validator that leaves values as they are. */
export const compileCheck = (schema: JsonSchema): Validate => {
  const check = Compile(schema);
  return (value) => {
    if (check.Check(value)) return ok(value as Json);
    const faults = (check.Errors(value) as readonly SchemaFault[]).flatMap(faultsFrom);
    return err(faults.slice(0, MAX_FAULTS));
  };
};

/** A validator of a resource as clients send it: fields with a default may be absent and are filled in. */
export const compileInput = (schema: JsonSchema): Validate => {
  const check = compileCheck(inputForm(schema));
  return (value) => {
    const checked = check(value);
    return checked.ok ? ok(fillDefaults(schema, checked.value)) : checked;
  };
};

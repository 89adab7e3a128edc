// What a plug-in says of itself: member `mcpgwPlugin` of its `package.json`. Strict, because a member that is misspelt
// would be a guard that is missing. Pure.

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { isJsonObject, type Json } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

export type PluginManifest = {
  /** Rules name it by this, behind `plugin:`. */
  readonly name: string;
  /** Of the package; undefined if it says none. */
  readonly version: string | undefined;
  readonly kinds: readonly string[];
  /** Path of the module, from the package's folder. */
  readonly entry: string;
};

export const MEMBER = 'mcpgwPlugin';

/** As registry/feed/schema/response-guard-schema.ts lets rules name plug-ins and kinds. */
const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' });

const check = Compile(
  Type.Object(
    {
      apiVersion: Type.Literal(1),
      name: Name,
      kinds: Type.Array(Name, { minItems: 1, maxItems: 64, uniqueItems: true }),
      entry: Type.String({ minLength: 1, maxLength: 1_024 }),
    },
    { additionalProperties: false },
  ),
);

type Written = { readonly name: string; readonly kinds: readonly string[]; readonly entry: string };

/** What of a package's version is told in readiness facts and logs. */
const MAX_VERSION_LENGTH = 64;

const versionOf = (version: Json | undefined): string | undefined =>
  typeof version === 'string' ? version.slice(0, MAX_VERSION_LENGTH) : undefined;

const unknownMember = (member: unknown): string | undefined =>
  isJsonObject(member)
    ? Object.keys(member).find((key) => !['apiVersion', 'name', 'kinds', 'entry'].includes(key))
    : undefined;

/** The error names the field. */
export const parsePluginManifest = (text: string): Result<PluginManifest, string> => {
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch {
    return err('is not JSON');
  }
  const member = isJsonObject(document) ? document[MEMBER] : undefined;
  if (!isJsonObject(document) || member === undefined) return err(`has no member ${MEMBER}`);
  const unknown = unknownMember(member);
  if (unknown !== undefined) return err(`${MEMBER}/${unknown} is not known`);
  if (!check.Check(member)) {
    const [first] = check.Errors(member);
    return err(`${MEMBER}${first?.instancePath ?? ''} ${first?.message ?? 'is not as it should be'}`);
  }
  const { name, kinds, entry } = member as Written;
  return ok({ name, kinds, entry, version: versionOf(document['version']) });
};

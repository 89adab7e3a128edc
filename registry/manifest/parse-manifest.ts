// The bytes that were signed become a manifest of the newest schema version, or every field that stands in the way is
// named. A field nobody knows is refused: a publisher who wrote it counts on it.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import { describeJsonFault, parseStrictJson, REQUEST_RULES } from '#core/strict-json.ts';
import type { JsonSchema } from '#registry/api/json-schema.ts';
import { compileInput, type Validate } from '#registry/api/validation.ts';
import { type ManifestRefusal, refuse } from '#registry/manifest/refusal.ts';
import {
  type Manifest1,
  Manifest1Schema,
  pointerInManifest1,
  upgradeManifest1,
} from '#registry/manifest/schema/manifest-1.ts';
import { type Manifest, Manifest2Schema } from '#registry/manifest/schema/manifest-2.ts';

/** What a manifest may measure, bytes: far above one with a thousand tools as people write them. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;

export type ParsedManifest = {
  /** In the newest schema version, whichever it was sent in. */
  readonly manifest: Manifest;
  /** Where in the manifest as it was sent stands what is at a JSON Pointer into `manifest`. */
  readonly pointerAsSent: (pointer: string) => string;
};

type SchemaVersion = Pick<ParsedManifest, 'pointerAsSent'> & {
  readonly validate: Validate;
  readonly upgrade: (value: Json) => Manifest;
};

const SCHEMA_VERSIONS: ReadonlyMap<unknown, SchemaVersion> = new Map([
  [
    '1',
    {
      validate: compileInput(Manifest1Schema as unknown as JsonSchema),
      upgrade: (value: Json) => upgradeManifest1(value as unknown as Manifest1),
      pointerAsSent: pointerInManifest1,
    },
  ],
  [
    '2',
    {
      validate: compileInput(Manifest2Schema as unknown as JsonSchema),
      upgrade: (value: Json) => value as unknown as Manifest,
      pointerAsSent: (pointer: string) => pointer,
    },
  ],
]);

const MAX_QUOTED = 32;

/** The sender's own text, cut short. */
const quote = (given: Json | undefined): string =>
  given === undefined ? 'none' : JSON.stringify(given).slice(0, MAX_QUOTED);

const refuseSchemaVersion = (given: Json | undefined): Result<never, ManifestRefusal> => {
  const known = [...SCHEMA_VERSIONS.keys()].map((name) => JSON.stringify(name)).join(', ');
  return refuse('manifest-schema-version-unknown', [
    { pointer: '/schemaVersion', message: `must be one of ${known}; given is ${quote(given)}` },
  ]);
};

const parseObject = (value: JsonObject): Result<ParsedManifest, ManifestRefusal> => {
  const schemaVersion = SCHEMA_VERSIONS.get(value['schemaVersion']);
  if (schemaVersion === undefined) return refuseSchemaVersion(value['schemaVersion']);
  const checked = schemaVersion.validate(value);
  if (!checked.ok) return refuse('manifest-invalid', checked.error);
  const { upgrade, pointerAsSent } = schemaVersion;
  return ok({ manifest: upgrade(checked.value), pointerAsSent });
};

/** Reads a manifest of any schema version there has been. Pure; linear in the length of `bytes`. */
export const parseManifest = (bytes: Uint8Array): Result<ParsedManifest, ManifestRefusal> => {
  const parsed = parseStrictJson(bytes, REQUEST_RULES);
  if (!parsed.ok)
    return refuse('manifest-not-json', [{ pointer: '', message: describeJsonFault(parsed.error) }]);
  return isJsonObject(parsed.value)
    ? parseObject(parsed.value)
    : refuse('manifest-not-json', [{ pointer: '', message: 'a manifest is a JSON object' }]);
};

// `manifest:schema`: the JSON Schema of a manifest, as it is published in docs/schemas. Made from the schema that
// validates.

import type { JsonObject } from '#core/json.ts';
import { inputForm } from '#registry/api/json-schema.ts';
import { Manifest1Schema } from '#registry/manifest/schema/manifest-1.ts';
import { Manifest2Schema } from '#registry/manifest/schema/manifest-2.ts';
import { type Command, readArguments, stop } from '#registry/manifest-cli/command.ts';

const USAGE = 'usage: npm run -s manifest:schema -- 1|2';

const SCHEMAS: Readonly<Record<string, unknown>> = { '1': Manifest1Schema, '2': Manifest2Schema };

export const schema: Command = async (args) => {
  const [version = ''] = readArguments(args, { options: [], files: 1, usage: USAGE }).files;
  const found = Object.hasOwn(SCHEMAS, version) ? SCHEMAS[version] : stop(USAGE);
  const document = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:mcpgw:schema:manifest-${version}`,
    title: `Manifest of an MCP server, schema version ${version}`,
    ...inputForm(found as JsonObject),
  };
  return { output: JSON.stringify(document, null, 2), notes: [], failed: false };
};

// How an Envoy extension is written as plain JSON: as its own type where the npm protos know it whole, or as a
// TypedStruct where a field is newer than they are. Envoy checks a TypedStruct against its own protos, field by field.

import type { JsonObject } from '#core/json.ts';

/** A message as proto3 JSON that names its own type, as `google.protobuf.Any` is written. */
export type TypedMessage = JsonObject & { readonly '@type': string };

const PREFIX = 'type.googleapis.com/';

/** `type` with its fields, e.g. `envoy.config.cluster.v3.Cluster`. */
export const typedMessage = (type: string, fields: JsonObject): TypedMessage => ({
  '@type': `${PREFIX}${type}`,
  ...fields,
});

/**
 * The configuration of an extension whose fields the npm protos (Envoy 1.30) lack. Not for whole resources: Envoy
 * refuses a TypedStruct in place of a Cluster. 64-bit numbers must be strings, durations `"3s"`, enums names.
 */
export const typedStruct = (type: string, value: JsonObject): TypedMessage =>
  typedMessage('xds.type.v3.TypedStruct', { type_url: `${PREFIX}${type}`, value });

/** Full type name of a message, or undefined for a type URL of an unknown authority. */
export const typeNameOf = (typeUrl: string): string | undefined =>
  typeUrl.startsWith(PREFIX) ? typeUrl.slice(PREFIX.length) : undefined;

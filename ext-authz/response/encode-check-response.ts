// A CheckResponse onto the wire. The status is written first and always: Envoy takes an answer without one for an
// Allow. Field numbers are those of Envoy's protos and google.protobuf.Struct.

import type { Json, JsonObject } from '#core/json.ts';
import type {
  CheckResponseMessage,
  DeniedResponse,
  HeaderOption,
  OkResponse,
} from '#ext-authz/response/check-response-message.ts';
import { delimited, fixed64, varint } from '#protos/wire/types.ts';
import { WireWriter } from '#protos/wire/writer.ts';

const CHECK = { status: delimited(1), denied: delimited(2), ok: delimited(3), metadata: delimited(4) };
const STATUS = { code: varint(1) };
const HEADER_OPTION = { header: delimited(1), appendAction: varint(3) };
const HEADER_VALUE = { key: delimited(1), value: delimited(2) };
const OK = { headers: delimited(2), remove: delimited(5), responseHeaders: delimited(6) };
const DENIED = { status: delimited(1), headers: delimited(2), body: delimited(3) };
const STRUCT = { fields: delimited(1) };
const MAP_ENTRY = { key: delimited(1), value: delimited(2) };
const LIST = { values: delimited(1) };
const VALUE = {
  null: varint(1),
  number: fixed64(2),
  text: delimited(3),
  bool: varint(4),
  struct: delimited(5),
  list: delimited(6),
};

const APPEND_ACTIONS: Readonly<Record<HeaderOption['append_action'], number>> = {
  APPEND_IF_EXISTS_OR_ADD: 0,
  OVERWRITE_IF_EXISTS_OR_ADD: 2,
};

const writeStatus = (writer: WireWriter, tag: number, code: number): void => {
  const status = writer.open(tag);
  writer.uint32(STATUS.code, code);
  writer.close(status);
};

const writeHeaders = (writer: WireWriter, tag: number, options: readonly HeaderOption[]): void => {
  for (const { header, append_action } of options) {
    const option = writer.open(tag);
    const value = writer.open(HEADER_OPTION.header);
    writer.text(HEADER_VALUE.key, header.key);
    writer.text(HEADER_VALUE.value, header.value);
    writer.close(value);
    writer.uint32(HEADER_OPTION.appendAction, APPEND_ACTIONS[append_action]);
    writer.close(option);
  }
};

const writeDenied = (writer: WireWriter, { status, headers, body }: DeniedResponse): void => {
  const denied = writer.open(CHECK.denied);
  writeStatus(writer, DENIED.status, status.code);
  writeHeaders(writer, DENIED.headers, headers);
  writer.text(DENIED.body, body);
  writer.close(denied);
};

const writeOk = (writer: WireWriter, response: OkResponse): void => {
  const ok = writer.open(CHECK.ok);
  writeHeaders(writer, OK.headers, response.headers);
  for (const name of response.headers_to_remove) writer.text(OK.remove, name);
  writeHeaders(writer, OK.responseHeaders, response.response_headers_to_add);
  writer.close(ok);
};

const writeValue = (writer: WireWriter, tag: number, value: Json): void => {
  const held = writer.open(tag);
  if (value === null) writer.uint32(VALUE.null, 0);
  else if (typeof value === 'string') writer.text(VALUE.text, value);
  else if (typeof value === 'number') writer.double(VALUE.number, value);
  else if (typeof value === 'boolean') writer.uint32(VALUE.bool, Number(value));
  else if (Array.isArray(value)) {
    const list = writer.open(VALUE.list);
    for (const item of value as readonly Json[]) writeValue(writer, LIST.values, item);
    writer.close(list);
  } else writeStruct(writer, VALUE.struct, value as JsonObject);
  writer.close(held);
};

/** JSON as google.protobuf.Struct. Recurses: our own metadata does not nest deep. */
const writeStruct = (writer: WireWriter, tag: number, object: JsonObject): void => {
  const struct = writer.open(tag);
  for (const [key, value] of Object.entries(object)) {
    const entry = writer.open(STRUCT.fields);
    writer.text(MAP_ENTRY.key, key);
    writeValue(writer, MAP_ENTRY.value, value as Json);
    writer.close(entry);
  }
  writer.close(struct);
};

/** One for all: a message is written without a pause. */
const shared = new WireWriter();

/** The answer as an envoy.service.auth.v3.CheckResponse. */
export const encodeCheckResponse = (message: CheckResponseMessage): Buffer => {
  shared.begin();
  writeStatus(shared, CHECK.status, message.status.code);
  if ('denied_response' in message) writeDenied(shared, message.denied_response);
  else writeOk(shared, message.ok_response);
  writeStruct(shared, CHECK.metadata, message.dynamic_metadata);
  return shared.finish();
};

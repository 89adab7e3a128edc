// envoy.service.auth.v3.CheckRequest off the wire, of which only what is read here is decoded: most of the message is
// a second copy of the headers, addresses and metadata nobody asks for. Field numbers are those of Envoy's protos.

import { type FieldReader, WireReader } from '#protos/wire/reader.ts';
import { delimited } from '#protos/wire/types.ts';

/** What ext-authz reads of a CheckRequest; an absent field is empty, as proto3 has it. */
export type CheckRequestFields = {
  id: string;
  method: string;
  host: string;
  path: string;
  /** By lower-case name, one entry per header line, in order; each character is one byte (latin1). */
  headers: Map<string, string[]>;
  /** As text; Envoy fills this or `rawBody`. */
  body: Buffer;
  rawBody: Buffer;
  clientAddress: string;
  /** PEM, URL-encoded. */
  certificate: string;
  /** `context_extensions` of the route. */
  context: Map<string, string>;
};

type HeaderLine = { key: string; value: string; raw: string };
type MapEntry = { key: string; value: string };

const MAP_ENTRY = { key: delimited(1), value: delimited(2) };
const HEADER_VALUE = { key: delimited(1), value: delimited(2), raw: delimited(3) };
const HEADER_MAP = { headers: delimited(1) };
const HTTP = {
  id: delimited(1),
  method: delimited(2),
  path: delimited(4),
  host: delimited(5),
  body: delimited(11),
  rawBody: delimited(12),
  headerMap: delimited(13),
};
const REQUEST = { http: delimited(2) };
const SOCKET_ADDRESS = { address: delimited(2) };
const ADDRESS = { socket: delimited(1), pipe: delimited(2), internal: delimited(3) };
const PEER = { address: delimited(1), certificate: delimited(5) };
const ATTRIBUTES = { source: delimited(1), request: delimited(4), extensions: delimited(10) };
const CHECK = { attributes: delimited(1) };

const readMapEntry: FieldReader<MapEntry> = (reader, tag, into) => {
  if (tag === MAP_ENTRY.key) into.key = reader.text();
  else if (tag === MAP_ENTRY.value) into.value = reader.text();
  else reader.skip(tag);
};

const readHeaderLine: FieldReader<HeaderLine> = (reader, tag, into) => {
  if (tag === HEADER_VALUE.key) into.key = reader.text();
  else if (tag === HEADER_VALUE.raw) into.raw = reader.latin1();
  else if (tag === HEADER_VALUE.value) into.value = reader.text();
  else reader.skip(tag);
};

const readHeaderMap: FieldReader<CheckRequestFields> = (reader, tag, { headers }) => {
  if (tag !== HEADER_MAP.headers) return reader.skip(tag);
  const line: HeaderLine = { key: '', value: '', raw: '' };
  reader.message(line, readHeaderLine);
  const name = line.key.toLowerCase();
  const value = line.raw === '' ? line.value : line.raw;
  const values = headers.get(name);
  if (values === undefined) headers.set(name, [value]);
  else values.push(value);
};

const readHttp: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  switch (tag) {
    case HTTP.headerMap:
      return reader.message(into, readHeaderMap);
    case HTTP.id:
      into.id = reader.text();
      return;
    case HTTP.method:
      into.method = reader.text();
      return;
    case HTTP.path:
      into.path = reader.text();
      return;
    case HTTP.host:
      into.host = reader.text();
      return;
    case HTTP.body:
      into.body = reader.bytes();
      return;
    case HTTP.rawBody:
      into.rawBody = reader.bytes();
      return;
    default:
      reader.skip(tag);
  }
};

const readRequest: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  if (tag === REQUEST.http) reader.message(into, readHttp);
  else reader.skip(tag);
};

const readSocketAddress: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  if (tag === SOCKET_ADDRESS.address) into.clientAddress = reader.text();
  else reader.skip(tag);
};

const readAddress: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  if (tag === ADDRESS.socket) return reader.message(into, readSocketAddress);
  // Members of one oneof: the last one stands.
  if (tag === ADDRESS.pipe || tag === ADDRESS.internal) into.clientAddress = '';
  reader.skip(tag);
};

const readSource: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  if (tag === PEER.address) reader.message(into, readAddress);
  else if (tag === PEER.certificate) into.certificate = reader.text();
  else reader.skip(tag);
};

const readAttributes: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  if (tag === ATTRIBUTES.request) return reader.message(into, readRequest);
  if (tag === ATTRIBUTES.source) return reader.message(into, readSource);
  if (tag !== ATTRIBUTES.extensions) return reader.skip(tag);
  const entry: MapEntry = { key: '', value: '' };
  reader.message(entry, readMapEntry);
  into.context.set(entry.key, entry.value);
};

const readCheck: FieldReader<CheckRequestFields> = (reader, tag, into) => {
  if (tag === CHECK.attributes) reader.message(into, readAttributes);
  else reader.skip(tag);
};

const NO_BYTES = Buffer.alloc(0);

/**
 * @param bytes one CheckRequest; the bodies are views of it.
 * @throws GatewayError `codec_failed` if it is not protobuf.
 */
export const readCheckRequest = (bytes: Buffer): CheckRequestFields => {
  const fields: CheckRequestFields = {
    id: '',
    method: '',
    host: '',
    path: '',
    headers: new Map(),
    body: NO_BYTES,
    rawBody: NO_BYTES,
    clientAddress: '',
    certificate: '',
    context: new Map(),
  };
  new WireReader(bytes).fields(fields, readCheck);
  return fields;
};

// ProcessingRequests off the wire (envoy.service.ext_proc.v3). Envoy repeats all metadata of the call with each piece of an
// answer's body, the names that a caller may see among them, and only the head is asked for it: of a piece nothing is
// decoded but its bytes. All else is read by proto-loader. Field numbers are those of Envoy's proto.

import { type FieldReader, WireReader } from '#protos/wire/reader.ts';
import { delimited, varint } from '#protos/wire/types.ts';

/** `message`: as proto-loader has it, as far as it was read. */
type Piece = {
  message: {
    readonly request: 'response_body';
    readonly response_body: { body: Buffer; end_of_stream: boolean };
    observability_mode: boolean;
  };
  /** Members of the oneof `request` that stand in it. */
  pieces: number;
  others: number;
};

const REQUEST = { responseBody: delimited(5), observabilityMode: varint(10) };
const BODY = { body: delimited(1), endOfStream: varint(2) };

/** What else the oneof may hold: headers, bodies and trailers of either side. */
const OTHERS: ReadonlySet<number> = new Set([2, 3, 4, 6, 7].map(delimited));

const readBody: FieldReader<Piece['message']['response_body']> = (reader, tag, into) => {
  if (tag === BODY.body) into.body = reader.bytes();
  else if (tag === BODY.endOfStream) into.end_of_stream = reader.bool();
  else reader.skip(tag);
};

const readPiece: FieldReader<Piece> = (reader, tag, into) => {
  if (tag === REQUEST.responseBody) {
    into.pieces += 1;
    return reader.message(into.message.response_body, readBody);
  }
  if (tag === REQUEST.observabilityMode) {
    into.message.observability_mode = reader.bool();
    return;
  }
  if (OTHERS.has(tag)) into.others += 1;
  reader.skip(tag);
};

/**
 * A message as proto-loader decodes it; a piece of an answer's body without its metadata and attributes.
 * @param readAll decodes any message in full.
 * @throws GatewayError `codec_failed`, or what `readAll` throws, for bytes that are no such message.
 */
export const readProcessingRequest = (bytes: Buffer, readAll: (bytes: Buffer) => object): object => {
  const piece: Piece = {
    message: {
      request: 'response_body',
      response_body: { body: Buffer.alloc(0), end_of_stream: false },
      observability_mode: false,
    },
    pieces: 0,
    others: 0,
  };
  new WireReader(bytes).fields(piece, readPiece);
  return piece.pieces === 1 && piece.others === 0 ? piece.message : readAll(bytes);
};

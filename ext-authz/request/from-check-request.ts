// The one place where Envoy's CheckRequest becomes our HttpRequest. Judges nothing.
// Envoy is ours, so a message of unknown shape is broken machinery and throws.

import { GatewayError } from '#core/gateway-error.ts';
import { REQUEST_ID_HEADER } from '#core/internal-headers.ts';
import { readCheckRequest } from '#ext-authz/request/check-request-fields.ts';

/** A request as Envoy received it: nothing decoded, nothing joined, nothing believed. */
export type HttpRequest = {
  readonly method: string;
  /** `:authority` as the client wrote it; only ever looked up among names that were registered. */
  readonly authority: string;
  /** Without the query. */
  readonly path: string;
  /** What follows the first `?`, without it; empty if there is none. */
  readonly query: string;
  /** By lower-case name, one entry per header line, in order; each character is one byte (latin1). */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly requestId: string;
  /** The client's IP address as Envoy trusts it; empty if Envoy named none. */
  readonly clientAddress: string;
  /** PEM of the certificate Envoy verified on the client's connection; absent: the client showed none. */
  readonly clientCertificate?: string;
  /** What the route says it is for (ExtAuthzPerRoute context_extensions). */
  readonly context: {
    readonly tenantId?: string;
    readonly serverId?: string;
    readonly document?: string;
  };
};

// A request id stands in logs and answers; one that is not plain text is replaced by Envoy's stream number.
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const requestIdOf = (headers: ReadonlyMap<string, readonly string[]>, streamId: string): string => {
  const given = headers.get(REQUEST_ID_HEADER) ?? [];
  const [first] = given;
  return given.length === 1 && first !== undefined && REQUEST_ID.test(first) ? first : `stream-${streamId}`;
};

const contextOf = (extensions: ReadonlyMap<string, string>): HttpRequest['context'] => {
  const [tenantId, serverId, document] = ['tenant', 'server', 'document'].map((key) => extensions.get(key));
  return {
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(serverId === undefined ? {} : { serverId }),
    ...(document === undefined ? {} : { document }),
  };
};

const certificateOf = (encoded: string): Pick<HttpRequest, 'clientCertificate'> =>
  encoded === '' ? {} : { clientCertificate: decodeURIComponent(encoded) };

/**
 * @param message one envoy.service.auth.v3.CheckRequest, encoded.
 * @throws GatewayError `codec_failed` if it is malformed, or holds no header lines: it is then of no HTTP request, or
 * the filter runs without `encode_raw_headers`, and joined headers would hide a repeated one.
 */
export const requestFromCheckRequest = (message: Buffer): HttpRequest => {
  const fields = readCheckRequest(message);
  const { headers, path: target, clientAddress } = fields;
  if (headers.size === 0)
    throw new GatewayError('codec_failed', 'a check carries no HTTP request with raw headers');
  const cut = target.indexOf('?');
  return {
    method: fields.method,
    authority: fields.host,
    path: cut === -1 ? target : target.slice(0, cut),
    query: cut === -1 ? '' : target.slice(cut + 1),
    headers,
    body: fields.rawBody.length > 0 ? fields.rawBody : fields.body,
    requestId: requestIdOf(headers, fields.id),
    clientAddress,
    ...certificateOf(fields.certificate),
    context: contextOf(fields.context),
  };
};

// The one place where Envoy's CheckRequest becomes our HttpRequest. Knows the wire shape; judges nothing.
// Envoy is ours, so a message of unknown shape is broken machinery and throws.

import { GatewayError } from '#core/gateway-error.ts';
import { REQUEST_ID_HEADER } from '#core/internal-headers.ts';

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

/** The members of envoy.service.auth.v3.CheckRequest that are read, as proto-loader decodes them. */
export type CheckRequestMessage = {
  readonly attributes?: {
    readonly source?: {
      readonly address?: { readonly socket_address?: { readonly address?: string } | null } | null;
      /** PEM, URL-encoded. */
      readonly certificate?: string;
    } | null;
    readonly request?: {
      readonly http?: {
        readonly id?: string;
        readonly method?: string;
        readonly host?: string;
        readonly path?: string;
        readonly header_map?: { readonly headers?: readonly RawHeader[] } | null;
        readonly body?: string;
        readonly raw_body?: Buffer;
      } | null;
    } | null;
    readonly context_extensions?: Readonly<Record<string, string>>;
  } | null;
};

type RawHeader = { readonly key?: string; readonly value?: string; readonly raw_value?: Buffer };

const textOf = (header: RawHeader): string =>
  header.raw_value !== undefined && header.raw_value.length > 0
    ? header.raw_value.toString('latin1')
    : (header.value ?? '');

const headersOf = (raw: readonly RawHeader[]): Map<string, string[]> => {
  const headers = new Map<string, string[]>();
  for (const header of raw) {
    const name = (header.key ?? '').toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [textOf(header)]);
    else values.push(textOf(header));
  }
  return headers;
};

// A request id stands in logs and answers; one that is not plain text is replaced by Envoy's stream number.
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const requestIdOf = (headers: ReadonlyMap<string, readonly string[]>, streamId: string): string => {
  const given = headers.get(REQUEST_ID_HEADER) ?? [];
  const [first] = given;
  return given.length === 1 && first !== undefined && REQUEST_ID.test(first) ? first : `stream-${streamId}`;
};

const contextOf = (extensions: Readonly<Record<string, string>> = {}): HttpRequest['context'] => {
  const { tenant, server, document } = extensions as { tenant?: string; server?: string; document?: string };
  return {
    ...(tenant === undefined ? {} : { tenantId: tenant }),
    ...(server === undefined ? {} : { serverId: server }),
    ...(document === undefined ? {} : { document }),
  };
};

const certificateOf = (encoded = ''): Pick<HttpRequest, 'clientCertificate'> =>
  encoded === '' ? {} : { clientCertificate: decodeURIComponent(encoded) };

/**
 * @throws GatewayError `codec_failed` if the message holds no HTTP request, or no header lines: the filter then runs
 * without `encode_raw_headers`, and joined headers would hide a repeated one.
 */
export const requestFromCheckRequest = (message: CheckRequestMessage): HttpRequest => {
  const { attributes } = message;
  const http = attributes?.request?.http;
  const lines = http?.header_map?.headers;
  if (!http || !lines || lines.length === 0)
    throw new GatewayError('codec_failed', 'a check carries no HTTP request with raw headers');
  const headers = headersOf(lines);
  const target = http.path ?? '';
  const cut = target.indexOf('?');
  const raw = http.raw_body ?? Buffer.alloc(0);
  return {
    method: http.method ?? '',
    authority: http.host ?? '',
    path: cut === -1 ? target : target.slice(0, cut),
    query: cut === -1 ? '' : target.slice(cut + 1),
    headers,
    body: raw.length > 0 ? raw : Buffer.from(http.body ?? ''),
    requestId: requestIdOf(headers, http.id ?? ''),
    clientAddress: attributes?.source?.address?.socket_address?.address ?? '',
    ...certificateOf(attributes?.source?.certificate),
    context: contextOf(attributes?.context_extensions),
  };
};

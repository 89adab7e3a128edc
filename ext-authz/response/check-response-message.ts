// The shape of envoy.service.auth.v3.CheckResponse, cut to what is used. `status` is not optional here: Envoy takes a response without it, or with code 0, for an Allow, whatever else it holds.

import type { JsonObject } from '#core/json.ts';

/** google.rpc.Code. Only OK lets a request pass. */
export const RPC_CODES = { ok: 0, permissionDenied: 7, internal: 13, unauthenticated: 16 } as const;
export type RpcCode = (typeof RPC_CODES)[keyof typeof RPC_CODES];

export type HeaderOption = {
  /** `value`, never `raw_value`: Envoy ignores that one in check responses and sends an empty header. */
  readonly header: { readonly key: string; readonly value: string };
  readonly append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' | 'APPEND_IF_EXISTS_OR_ADD';
};

export type OkResponse = {
  readonly headers: readonly HeaderOption[];
  readonly headers_to_remove: readonly string[];
  readonly response_headers_to_add: readonly HeaderOption[];
};

export type DeniedResponse = {
  readonly status: { readonly code: number };
  readonly headers: readonly HeaderOption[];
  readonly body: string;
};

export type CheckResponseMessage = {
  readonly status: { readonly code: RpcCode };
  readonly dynamic_metadata: JsonObject;
} & ({ readonly ok_response: OkResponse } | { readonly denied_response: DeniedResponse });

/** One header option; it replaces what is there unless asked to stand beside it. */
export const headerOption = (
  key: string,
  value: string,
  append_action: HeaderOption['append_action'] = 'OVERWRITE_IF_EXISTS_OR_ADD',
): HeaderOption => ({ header: { key, value }, append_action });

/** Header options of a record of headers; `vary` joins what the server says, anything else replaces it. */
export const headerOptions = (headers: Readonly<Record<string, string>>): HeaderOption[] =>
  Object.entries(headers).map(([key, value]) =>
    headerOption(key, value, key === 'vary' ? 'APPEND_IF_EXISTS_OR_ADD' : 'OVERWRITE_IF_EXISTS_OR_ADD'),
  );

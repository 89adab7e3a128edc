// Broken machinery: a dependency that fails, a file that is not there, a reply of unknown shape.
// Thrown, and caught once at the edge of each service. A refusal of a call is never one of these.

export type GatewayErrorCode =
  | 'config_invalid'
  | 'store_failed'
  | 'feed_failed'
  | 'codec_failed'
  | 'policy_failed'
  | 'provider_failed'
  | 'egress_refused'
  | 'internal';

export class GatewayError extends Error {
  readonly code: GatewayErrorCode;

  constructor(code: GatewayErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GatewayError';
    this.code = code;
  }

  /** Any thrown value as a GatewayError; opa-wasm, for one, throws plain strings. */
  static from(thrown: unknown, code: GatewayErrorCode = 'internal'): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new GatewayError(code, message, { cause: thrown });
  }
}

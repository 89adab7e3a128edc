// The X-JWS-Signature header: a JWS with detached, unencoded payload (RFC 7515 appendix F, RFC 7797). Read here, judged
// against keys in verify-signature.ts. A parameter nobody knows is refused: it may be one that restricts.

import { Type } from 'typebox';
import type { JsonObject } from '#core/json.ts';
import { ok, type Result } from '#core/result.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '#core/signature-algorithm.ts';
import { parseStrictJson, REQUEST_RULES } from '#core/strict-json.ts';
import type { JsonSchema } from '#registry/api/json-schema.ts';
import { compileCheck } from '#registry/api/validation.ts';
import { KeyId } from '#registry/feed/schema/publisher-schema.ts';
import {
  type ManifestRefusal,
  refuse,
  refuseSignature,
  SIGNATURE_HEADER,
} from '#registry/manifest/refusal.ts';

export const MANIFEST_TYPE = 'mcpgw-manifest+jws';

const MAX_HEADER_LENGTH = 8_192;
const FORM = /^([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]+)$/;

export type ProtectedHeader = {
  readonly alg: SignatureAlgorithm;
  readonly kid: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  readonly aud: string;
  readonly jti: string;
};

export type DetachedSignature = {
  readonly header: ProtectedHeader;
  readonly protected: string;
  readonly signature: string;
};

const Seconds = Type.Integer({ minimum: 0, maximum: 99_999_999_999 });

const ProtectedSchema = Type.Object(
  {
    alg: Type.Enum([...SIGNATURE_ALGORITHMS]),
    b64: Type.Literal(false),
    crit: Type.Array(Type.Literal('b64'), { minItems: 1, maxItems: 1 }),
    typ: Type.Literal(MANIFEST_TYPE),
    kid: KeyId,
    iat: Seconds,
    exp: Seconds,
    aud: Type.String({ minLength: 1, maxLength: 2_048 }),
    jti: Type.String({ pattern: '^[!-~]{8,128}$' }),
  },
  { additionalProperties: false },
);

const check = compileCheck(ProtectedSchema as unknown as JsonSchema);

const readProtected = (text: string): Result<ProtectedHeader, ManifestRefusal> => {
  const parsed = parseStrictJson(Buffer.from(text, 'base64url'), REQUEST_RULES);
  if (!parsed.ok) return refuseSignature('signature-malformed', 'the protected header is no plain JSON');
  const checked = check(parsed.value);
  if (checked.ok) return ok(checked.value as JsonObject as unknown as ProtectedHeader);
  return refuse(
    'signature-parameter-invalid',
    checked.error.map(({ pointer, message }) => ({
      in: 'header' as const,
      pointer: `/${SIGNATURE_HEADER}${pointer}`,
      message,
    })),
  );
};

/** Reads the value of X-JWS-Signature; `undefined` where none was sent. Believes nothing of it yet. */
export const parseSignatureHeader = (
  value: string | undefined,
): Result<DetachedSignature, ManifestRefusal> => {
  if (value === undefined) return refuseSignature('signature-missing', 'is required');
  const [, protectedPart, signature] = (value.length > MAX_HEADER_LENGTH ? null : FORM.exec(value)) ?? [];
  if (protectedPart === undefined || signature === undefined)
    return refuseSignature('signature-malformed', 'expected <protected>..<signature>, both base64url');
  const header = readProtected(protectedPart);
  return header.ok ? ok({ header: header.value, protected: protectedPart, signature }) : header;
};

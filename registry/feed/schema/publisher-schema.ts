// The shape of a publisher (core/publisher.ts). Public members of a JWK only: the schema is closed, so a private key
// cannot be stored by accident. Whether a key is one is judged by the commands.

import { Type } from 'typebox';
import { CERTIFICATE_KINDS } from '#core/publisher.ts';
import { SIGNATURE_ALGORITHMS } from '#core/signature-algorithm.ts';
import { Id, Moment, ShortText } from '#registry/feed/schema/words.ts';

/** Base64url; the longest is the modulus of an 8192-bit RSA key. */
const KeyText = Type.String({ pattern: '^[A-Za-z0-9_-]{1,1366}$' });

export const KeyId = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' });

const PublicJwkSchema = Type.Object(
  {
    kty: Type.Enum(['EC', 'OKP', 'RSA']),
    alg: Type.Enum([...SIGNATURE_ALGORITHMS]),
    crv: Type.Optional(Type.String({ maxLength: 32 })),
    x: Type.Optional(KeyText),
    y: Type.Optional(KeyText),
    n: Type.Optional(KeyText),
    e: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,6}$' })),
    use: Type.Optional(Type.Literal('sig')),
    kid: Type.Optional(KeyId),
  },
  { additionalProperties: false },
);

/** A public key and when it is in force. */
export const KeySchema = Type.Object(
  {
    kid: KeyId,
    jwk: PublicJwkSchema,
    notBefore: Type.Optional(Moment),
    notAfter: Type.Optional(Moment),
  },
  { additionalProperties: false },
);

/** How a value of each kind is written is judged by the commands, which can say why. */
const CertificateSchema = Type.Object(
  {
    kind: Type.Enum([...CERTIFICATE_KINDS]),
    value: Type.String({
      minLength: 1,
      maxLength: 2_048,
      description:
        'spki-sha256: base64 of the SHA-256 of the public key (SubjectPublicKeyInfo); san-uri, san-dns: the subject alternative name.',
    }),
  },
  { additionalProperties: false },
);

export const PUBLISHER_FIELDS = {
  displayName: ShortText,
  keys: Type.Array(KeySchema, { minItems: 1, maxItems: 16 }),
  servers: Type.Array(Id, { maxItems: 2_000, uniqueItems: true, default: [] }),
  certificates: Type.Optional(Type.Array(CertificateSchema, { maxItems: 16 })),
};

/** A stored publisher. */
export const PublisherSchema = Type.Object({ id: Id, ...PUBLISHER_FIELDS }, { additionalProperties: false });

// The shape of a tenant's own policy (core/tenant-policy.ts).

import { Type } from 'typebox';
import { KeySchema } from '#registry/feed/schema/publisher-schema.ts';
import { SecretName } from '#registry/feed/schema/words.ts';

export const BundleDigest = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the bundle as it was uploaded, hex.',
});

const BundleReferenceSchema = Type.Object(
  {
    digest: BundleDigest,
    signedBy: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{43}$',
        description:
          'Thumbprint (RFC 7638) of the key whose signature was verified at the upload. Found by the registry: left out of a PUT, or as it was read.',
      }),
    ),
  },
  { additionalProperties: false },
);

const RemotePolicySchema = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      maxLength: 2_048,
      description:
        'Of the package that answers, e.g. https://opa.example.com/v1/data/mcp/authz; asked is /decision and /visible below it.',
    }),
    timeoutMs: Type.Integer({
      minimum: 10,
      maximum: 2_000,
      default: 500,
      description: 'How long an answer is waited for. Later the call is refused.',
    }),
    secretName: Type.Optional(SecretName),
  },
  { additionalProperties: false, description: 'An OPA that must permit every call too.' },
);

export const POLICY_FIELDS = {
  bundle: Type.Optional(BundleReferenceSchema),
  shadow: Type.Optional(BundleReferenceSchema),
  remote: Type.Optional(RemotePolicySchema),
  keys: Type.Array(KeySchema, {
    maxItems: 16,
    default: [],
    description: 'Keys that sign bundles. The kid is the one in the header of the signature.',
  }),
  requireSignature: Type.Boolean({
    default: false,
    description: 'true: a bundle serves only if one of `keys` has signed it.',
  }),
};

/** A stored policy. */
export const TenantPolicySchema = Type.Object(POLICY_FIELDS, { additionalProperties: false });

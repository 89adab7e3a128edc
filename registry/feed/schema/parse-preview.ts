// The two bodies of a preview: the tenant that is asked about, and the answer. Both come from the other end of the feed
// and are read like everything from there.

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type EnvoyPreview, MAX_PREVIEW_NAMES } from '#core/feed-message.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { TenantSchema } from '#registry/feed/schema/tenant-schema.ts';

const closed = { additionalProperties: false };
const Sequence = Type.Integer({ minimum: 0 });
const Names = Type.Array(Type.String({ maxLength: 512 }), { maxItems: MAX_PREVIEW_NAMES });

export const TypeEffectSchema = Type.Object(
  { typeUrl: Type.String({ maxLength: 512 }), added: Names, changed: Names, removed: Names },
  closed,
);

const check = Compile(
  Type.Union([
    Type.Object(
      {
        kind: Type.Literal('effect'),
        sequence: Sequence,
        types: Type.Array(TypeEffectSchema, { maxItems: 16 }),
        omitted: Sequence,
      },
      closed,
    ),
    Type.Object(
      { kind: Type.Literal('fault'), sequence: Sequence, fault: Type.String({ maxLength: 1_024 }) },
      closed,
    ),
  ]),
);

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
};

/** The answer to a preview. */
export const parseEnvoyPreview = (bytes: Uint8Array): Result<EnvoyPreview, 'unreadable'> => {
  const value = parseJson(bytes);
  return check.Check(value) ? ok(value as EnvoyPreview) : err('unreadable');
};

const tenantCheck = Compile(TenantSchema);

/** The tenant that is asked about. */
export const parsePreviewedTenant = (bytes: Uint8Array): Result<Tenant, 'unreadable'> => {
  const value = parseJson(bytes);
  return tenantCheck.Check(value) ? ok(value as Tenant) : err('unreadable');
};

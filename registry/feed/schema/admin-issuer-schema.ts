// The shape of a tenant's admin issuer (core/admin-issuer.ts). What its URLs may name is judged by the commands.

import { Type } from 'typebox';
import { ShortText, UrlText } from '#registry/feed/schema/words.ts';

export const ADMIN_ISSUER_FIELDS = {
  issuer: UrlText,
  jwksUri: UrlText,
  audience: ShortText,
  rolesClaim: Type.String({
    minLength: 1,
    maxLength: 256,
    default: 'roles',
    description: 'Claim with the roles, an array of texts; may be a path, e.g. `realm_access.roles`.',
  }),
};

/** A stored admin issuer. */
export const AdminIssuerSchema = Type.Object(ADMIN_ISSUER_FIELDS, { additionalProperties: false });

// The shape of a tenant's own host names (core/tenant.ts). That no other tenant has them is judged where they are written.

import { Type } from 'typebox';
import { HOST_NAME_PATTERN } from '#core/host-name.ts';

export const TenantHostsSchema = Type.Object(
  {
    names: Type.Array(
      Type.String({
        pattern: HOST_NAME_PATTERN,
        description:
          'A host name in lower case, without port and trailing dot; IDN in its xn-- form. No address.',
      }),
      { minItems: 1, maxItems: 100, uniqueItems: true },
    ),
  },
  { additionalProperties: false },
);

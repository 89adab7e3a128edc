// The shape of a server's upstream settings (core/upstream-settings.ts). Nothing is filled in: what is absent keeps
// meaning what suits most, also after that has become something else.

import { Type } from 'typebox';
import { LOAD_BALANCING_POLICIES } from '#core/upstream-settings.ts';

/**
 * RFC 9110 token in lower case. Not one of the headers that ext-authz takes away or writes: hashing on those would be
 * hashing on nothing, or on a token that changes by the hour.
 */
const HeaderName = Type.String({
  pattern: "^(?!x-mcpgw-|x-envoy-|authorization$|cookie$)[a-z0-9!#$%&'*+.^_`|~-]{1,64}$",
  description: 'Name of a request header in lower case.',
});

const LoadBalancingSchema = Type.Object(
  {
    policy: Type.Enum([...LOAD_BALANCING_POLICIES], {
      description:
        'How a replica is chosen. least-latency goes by measured weights; ring-hash and maglev send one key to one replica.',
    }),
    hashOn: Type.Optional(
      Type.Union(
        [
          Type.Enum(['principal', 'session']),
          Type.Object({ header: HeaderName }, { additionalProperties: false }),
        ],
        { description: 'What ring-hash and maglev go by. A call without it goes to any replica.' },
      ),
    ),
  },
  { additionalProperties: false },
);

export const UpstreamSchema = Type.Object(
  { loadBalancing: Type.Optional(LoadBalancingSchema) },
  {
    additionalProperties: false,
    description: 'How the replicas of the server are reached. Each part has a default that suits most.',
  },
);

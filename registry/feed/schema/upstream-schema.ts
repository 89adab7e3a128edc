// The shape of a server's upstream settings (core/upstream-settings.ts). Nothing is filled in: what is absent keeps
// meaning what suits most, also after that has become something else.

import { Type } from 'typebox';
import { LOAD_BALANCING_POLICIES, UPSTREAM_PROTOCOLS } from '#core/upstream-settings.ts';
import { SecretName, ShortText } from '#registry/feed/schema/words.ts';

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

const whole = (minimum: number, maximum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, description }));

const PlacementSchema = Type.Object(
  {
    host: ShortText,
    weight: whole(1, 100, 'Share of calls against others of the same priority. Default 1.'),
    zone: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
        description:
          'Envoys of this zone (ENVOY_ZONE) keep their calls in it while a replica there is healthy.',
      }),
    ),
    priority: whole(
      0,
      7,
      'Default 0. A higher number gets calls as healthy replicas of lower ones run short.',
    ),
  },
  { additionalProperties: false },
);

const HealthSchema = Type.Object(
  {
    kind: Type.Enum(['http', 'ping'], {
      description:
        'http: GET a path. ping: a JSON-RPC ping to the MCP endpoint, which any answer below 500 passes.',
    }),
    path: Type.Optional(Type.String({ pattern: '^/[!-~]{0,511}$', description: 'Of kind http. Default /.' })),
    intervalMs: whole(1_000, 600_000, 'From one check to the next. Default 10000.'),
    timeoutMs: whole(100, 60_000, 'Until a check counts as failed. Default 2000.'),
    unhealthyThreshold: whole(1, 100, 'Failed checks in a row until a replica gets no calls. Default 3.'),
    healthyThreshold: whole(1, 100, 'Checks in a row to pass to get calls again. Default 2.'),
  },
  { additionalProperties: false },
);

const OutlierSchema = Type.Object(
  {
    consecutive5xx: whole(0, 1_000, 'Answers of 500 and more in a row. Default 10; 0: never for that.'),
    consecutiveFailures: whole(
      0,
      1_000,
      'Answers of 502, 503, 504 in a row, and failed connections in a row. Default 5; 0: never for that.',
    ),
    ejectionMs: whole(1_000, 3_600_000, 'Time out of service, times how often it happened. Default 30000.'),
    maxEjectionPercent: whole(0, 100, 'Largest share of replicas out at once. Default 50.'),
  },
  { additionalProperties: false, description: 'When a replica that fails calls is left out for a while.' },
);

const BreakersSchema = Type.Object(
  {
    maxConnections: whole(1, 100_000, 'HTTP/1.1 connections. Default 4096.'),
    maxPendingRequests: whole(1, 100_000, 'Calls that wait for a connection. Default 1024.'),
    maxRequests: whole(1, 100_000, 'Calls and open streams. Default 4096.'),
  },
  { additionalProperties: false, description: 'What one Envoy has open to one version at a time.' },
);

const ConnectionsSchema = Type.Object(
  {
    idleMs: whole(100, 3_600_000, 'How long an unused connection is kept. Default 4000.'),
    maxRequestsPerConnection: whole(1, 1_000_000, 'Calls until a connection is replaced. Default: no limit.'),
    protocol: Type.Optional(
      Type.Enum([...UPSTREAM_PROTOCOLS], {
        description: 'Default auto: what TLS negotiates, HTTP/1.1 without TLS. http2 works without TLS too.',
      }),
    ),
  },
  { additionalProperties: false },
);

const TlsSchema = Type.Object(
  {
    subjectAltNames: Type.Optional(
      Type.Array(ShortText, {
        minItems: 1,
        maxItems: 16,
        uniqueItems: true,
        description: 'The certificate must hold one of these names. Default: the host of the endpoint.',
      }),
    ),
    caSecret: Type.Optional(SecretName),
    clientCertificateSecret: Type.Optional(SecretName),
  },
  { additionalProperties: false, description: 'Whom to believe at https endpoints, and who to be there.' },
);

export const UpstreamSchema = Type.Object(
  {
    loadBalancing: Type.Optional(LoadBalancingSchema),
    placement: Type.Optional(Type.Array(PlacementSchema, { maxItems: 64 })),
    health: Type.Optional(HealthSchema),
    outlierDetection: Type.Optional(OutlierSchema),
    circuitBreakers: Type.Optional(BreakersSchema),
    connections: Type.Optional(ConnectionsSchema),
    tls: Type.Optional(TlsSchema),
  },
  {
    additionalProperties: false,
    description: 'How the replicas of the server are reached. Each part has a default that suits most.',
  },
);

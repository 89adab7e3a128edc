// A tenant's routes. Every match is an exact path, so an endpoint has one spelling; the version is whatever ext-authz
// chose, matched exactly, and where Envoy has no such version the answer is 503, never another version.

import {
  ENDPOINT_METHODS,
  endpointPath,
  METADATA_ROOT,
  SHORT_ROOT,
  shortEndpointPath,
} from '#core/endpoint-path.ts';
import { RETRY_HEADER, RETRY_SAFE, SEALED_SESSION_HEADER, VERSION_HEADER } from '#core/internal-headers.ts';
import type { JsonObject } from '#core/json.ts';
import type { Pace } from '#core/pace.ts';
import type { McpServer } from '#core/server.ts';
import { DEFAULT_TENANT } from '#core/tenant.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import { checkedAs, unchecked } from '#xds-server/filters/ext-authz.ts';
import { buildHashPolicy } from '#xds-server/translate/load-balancing.ts';
import {
  clusterName,
  HOSTED_ROUTES,
  tenantRoutesName,
  WELL_KNOWN_ROUTES,
} from '#xds-server/translate/names.ts';
import { buildPriority, buildRetryPolicy, buildTimedRetryPolicy } from '#xds-server/translate/retries.ts';

/** Value of the context that sends a request to the document part of ext-authz. */
const METADATA_DOCUMENT = { document: 'protected-resource-metadata' };

/** What Envoy added for our own use; what ext-authz added is taken away further down, by the cluster (upstream-filters.ts). */
const INTERNAL_REQUEST_HEADERS = ['x-envoy-external-address', 'x-envoy-internal'];

/**
 * What a server may not say in the gateway's name. Where to sign in: `www-authenticate` steers a client's discovery to any
 * authorization server. Where to go on: `location` leads it past the door. And to an Envoy in front of us, which
 * believes it from any answer, that the whole gateway is unhealthy or overloaded.
 */
const REMOVED_RESPONSE_HEADERS = [
  VERSION_HEADER,
  SEALED_SESSION_HEADER,
  'www-authenticate',
  'location',
  'x-envoy-degraded',
  'x-envoy-immediate-health-check-fail',
  'x-envoy-overloaded',
  'x-envoy-ratelimited',
];

export type RoutedVersion = {
  readonly version: string;
  readonly upstreamPath: string;
  /** Absent: the server has no adaptive bounds. */
  readonly pace?: Pace;
};
export type RoutedServer = { readonly server: McpServer; readonly versions: readonly RoutedVersion[] };

type Way = { readonly headers: readonly JsonObject[]; readonly retries: JsonObject };

const forward = (
  cluster: string,
  server: McpServer,
  { upstreamPath, pace, retries }: RoutedVersion & Way,
): JsonObject => ({
  cluster,
  // Envoy's default of 15 s would end every stream. The listener bounds silence (GATEWAY_STREAM_IDLE_SECONDS).
  timeout: '0s',
  // The match is the whole path, so this replaces the whole path; the client's query stays.
  prefix_rewrite: upstreamPath,
  auto_host_rewrite: true,
  retry_policy: retries,
  ...buildPriority(server.adaptive, pace),
  ...buildHashPolicy(server.upstream?.loadBalancing),
});

const headerIs = (name: string, exact: string): JsonObject => ({ name, string_match: { exact } });

const isPost = headerIs(':method', 'POST');

/** Which calls of a version have which retries; the first that matches counts. */
const waysOf = (pace: Pace | undefined): readonly Way[] => [
  { headers: [headerIs(RETRY_HEADER, RETRY_SAFE)], retries: buildTimedRetryPolicy('safe', pace) },
  // A stream opened by GET answers when the server has something to say: it has no time limit.
  ...(pace?.timeoutMs === undefined
    ? []
    : [{ headers: [isPost], retries: buildTimedRetryPolicy('unsafe', pace) }]),
  { headers: [], retries: buildRetryPolicy('unsafe', pace) },
];

/** Routes of one server at one of its paths. */
const routesAt = (path: string, tenantId: string, { server, versions }: RoutedServer): JsonObject[] => {
  const typed_per_filter_config = checkedAs({ tenant: tenantId, server: server.id });
  return [
    ...versions.flatMap((routed) => {
      const { version, pace } = routed;
      const cluster = clusterName(tenantId, server.id, version);
      return waysOf(pace).map((way) => ({
        match: { path, headers: [headerIs(VERSION_HEADER, version), ...way.headers] },
        route: forward(cluster, server, { ...routed, ...way }),
        typed_per_filter_config,
      }));
    }),
    // Every call starts here, before ext-authz has named a version, and stays here if that version is not known.
    { match: { path }, direct_response: { status: 503 }, typed_per_filter_config },
  ];
};

const pathsOf = (tenantId: string, serverId: string): string[] => [
  endpointPath({ tenantId, serverId }),
  ...(tenantId === DEFAULT_TENANT ? [shortEndpointPath(serverId)] : []),
];

const nothingHere: JsonObject = {
  match: { prefix: '/' },
  direct_response: { status: 404 },
  typed_per_filter_config: unchecked,
};

/** A RouteConfiguration but for its routes: `first` and `last` stand before and behind those of the servers. */
export type RoutesFrame = {
  /** Without its virtual host. */
  readonly configuration: TypedMessage;
  /** Without routes. */
  readonly virtualHost: JsonObject;
  readonly first: readonly JsonObject[];
  readonly last: readonly JsonObject[];
};

const frame = (name: string, first: readonly JsonObject[]): RoutesFrame => ({
  first,
  last: [nothingHere],
  virtualHost: { name: 'all', domains: ['*'] },
  configuration: typedMessage('envoy.config.route.v3.RouteConfiguration', {
    name,
    request_headers_to_remove: INTERNAL_REQUEST_HEADERS,
    // A compressed answer could not be judged on its way back.
    request_headers_to_add: [
      {
        header: { key: 'accept-encoding', value: 'identity' },
        append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
      },
    ],
    response_headers_to_remove: REMOVED_RESPONSE_HEADERS,
  }),
});

const filled = (
  { configuration, virtualHost, first, last }: RoutesFrame,
  routes: readonly JsonObject[],
): TypedMessage => {
  const { '@type': type, name = '', ...rest } = configuration;
  const virtual_hosts = [{ ...virtualHost, routes: [...first, ...routes, ...last] }];
  return { '@type': type, name, virtual_hosts, ...rest };
};

/**
 * No other method gets as far as ext-authz, so none that Envoy comes to know (QUERY, in 1.40) can be forwarded by a gap
 * in anybody's reading of it. First in the list: a method is refused alike at addresses that exist and others.
 */
const otherMethods: JsonObject = {
  match: {
    prefix: '/',
    headers: [
      {
        name: ':method',
        string_match: { safe_regex: { regex: ENDPOINT_METHODS.replaceAll(', ', '|') } },
        invert_match: true,
      },
    ],
  },
  direct_response: { status: 405 },
  response_headers_to_add: [{ header: { key: 'allow', value: ENDPOINT_METHODS } }],
  typed_per_filter_config: unchecked,
};

/** Routes of one server; one that is switched off has them too, so that the refusal says so. */
export const buildServerRoutes = (tenantId: string, routed: RoutedServer): readonly JsonObject[] =>
  pathsOf(tenantId, routed.server.id).flatMap((path) => routesAt(path, tenantId, routed));

/** What stands around the routes of a tenant's servers. */
export const buildTenantFrame = (tenantId: string): RoutesFrame =>
  frame(tenantRoutesName(tenantId), [otherMethods]);

/** The RouteConfiguration of one tenant, from the routes of its servers. */
export const buildTenantRoutes = (tenantId: string, routes: readonly JsonObject[]): TypedMessage =>
  filled(buildTenantFrame(tenantId), routes);

/**
 * The RouteConfiguration of short addresses by tenants' own host names. It leads nowhere: ext-authz finds the tenant by the
 * host, and by the path it sets Envoy finds that tenant's routes. A call it knows no tenant for ends here.
 */
export const buildHostedRoutes = (): TypedMessage =>
  filled(frame(HOSTED_ROUTES, [otherMethods]), [
    {
      match: { prefix: SHORT_ROOT },
      direct_response: { status: 404 },
      typed_per_filter_config: checkedAs({}),
    },
  ]);

/** The RouteConfiguration of RFC 9728 documents, which ext-authz answers. */
export const buildWellKnownRoutes = (): TypedMessage =>
  filled(frame(WELL_KNOWN_ROUTES, []), [
    {
      match: { path_separated_prefix: METADATA_ROOT },
      direct_response: { status: 404 },
      typed_per_filter_config: checkedAs(METADATA_DOCUMENT),
    },
  ]);

// Settings of a server's upstream that are well formed and still make no sense together: refused, because Envoy would
// take most of them in silence and do something else.

import { parseSanPattern } from '#core/san-pattern.ts';
import type { McpServer } from '#core/server.ts';
import {
  type HealthCheck,
  isHashing,
  type LoadBalancing,
  type UpstreamSettings,
  type UpstreamTls,
} from '#core/upstream-settings.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';

const judgeLoadBalancing = ({ policy, hashOn }: LoadBalancing): Fault[] => {
  if (isHashing(policy) === (hashOn !== undefined)) return [];
  const message = isHashing(policy)
    ? `policy ${policy} needs to know what to hash on`
    : `policy ${policy} does not hash: choose ring-hash or maglev`;
  return [{ pointer: '/upstream/loadBalancing/hashOn', message }];
};

/** Keys are kept on their replicas by the hash alone, so a zone would mean nothing to such a policy. */
const judgeZones = ({ loadBalancing, placement = [] }: UpstreamSettings): Fault[] =>
  loadBalancing === undefined || !isHashing(loadBalancing.policy)
    ? []
    : placement.flatMap(({ zone }, index) =>
        zone === undefined
          ? []
          : [
              {
                pointer: `/upstream/placement/${index}/zone`,
                message: `policy ${loadBalancing.policy} keeps keys on replicas, not calls in zones`,
              },
            ],
      );

const judgePlacement = (server: McpServer): Fault[] => {
  const placement = server.upstream?.placement ?? [];
  const taken = repeated(placement.map(({ host }) => host));
  return placement.flatMap(({ host }, index) => {
    const pointer = `/upstream/placement/${index}/host`;
    if (!server.allowedHosts.includes(host))
      return [{ pointer, message: `host ${host} is not one of the server's allowedHosts` }];
    return taken.includes(host) ? [{ pointer, message: `host ${host} is placed twice` }] : [];
  });
};

const judgeHealth = ({ kind, path, intervalMs = 10_000, timeoutMs = 2_000 }: HealthCheck): Fault[] => [
  ...(kind === 'ping' && path !== undefined
    ? [{ pointer: '/upstream/health/path', message: 'a ping goes to the MCP endpoint itself' }]
    : []),
  ...(timeoutMs > intervalMs
    ? [{ pointer: '/upstream/health/timeoutMs', message: 'a check must be over when the next one begins' }]
    : []),
];

const judgeNames = ({ subjectAltNames = [] }: UpstreamTls): Fault[] =>
  subjectAltNames.flatMap((name, index) =>
    parseSanPattern(name).ok && !name.includes('*') && name === name.trim()
      ? []
      : [
          {
            pointer: `/upstream/tls/subjectAltNames/${index}`,
            message: 'expected a URI, a DNS name without a wildcard, or an address',
          },
        ],
  );

/** Of all versions: any of them may be served. Calls that were to be encrypted must not go out in the clear. */
const judgeCleartext = ({ versions }: McpServer): Fault[] =>
  versions.flatMap(({ version, endpoints }) =>
    endpoints.every((endpoint) => URL.parse(endpoint)?.protocol === 'https:')
      ? []
      : [{ pointer: '/upstream/tls', message: `version ${version} has an endpoint without TLS` }],
  );

const judgeServer = (server: McpServer): Fault[] => {
  const { upstream } = server;
  if (upstream === undefined) return [];
  return [
    ...(upstream.loadBalancing === undefined ? [] : judgeLoadBalancing(upstream.loadBalancing)),
    ...judgePlacement(server),
    ...judgeZones(upstream),
    ...(upstream.tls === undefined ? [] : [...judgeNames(upstream.tls), ...judgeCleartext(server)]),
    ...(upstream.health === undefined ? [] : judgeHealth(upstream.health)),
  ];
};

/** What an admin sets about the way to a server's replicas can be done. */
export const upstreamRule: Rule = eachServer(judgeServer);

// Settings of a server's upstream that are well formed and still make no sense together: refused, because Envoy would
// take most of them in silence and do something else.

import type { McpServer } from '#core/server.ts';
import { isHashing, type LoadBalancing } from '#core/upstream-settings.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

const judgeLoadBalancing = ({ policy, hashOn }: LoadBalancing): Fault[] => {
  if (isHashing(policy) === (hashOn !== undefined)) return [];
  const message = isHashing(policy)
    ? `policy ${policy} needs to know what to hash on`
    : `policy ${policy} does not hash: choose ring-hash or maglev`;
  return [{ pointer: '/upstream/loadBalancing/hashOn', message }];
};

const judgeServer = ({ upstream = {} }: McpServer): Fault[] =>
  upstream.loadBalancing === undefined ? [] : judgeLoadBalancing(upstream.loadBalancing);

/** What an admin sets about the way to a server's replicas can be done. */
export const upstreamRule: Rule = eachServer(judgeServer);

// Rules that look at one server alone: judged once for each object, because a change leaves all other servers the same
// objects, and a tenant may have thousands.

import type { McpServer } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { serverName } from '#registry/commands/resources.ts';
import type { LocatedFault, Rule } from '#registry/commands/rules/rule.ts';

/** The rule that `judge` finds nothing to blame in any server; `judge` may look at nothing but the server. */
export const eachServer = (judge: (server: McpServer) => readonly Fault[]): Rule => {
  const judged = new WeakMap<McpServer, readonly LocatedFault[]>();
  const judgeOnce = (server: McpServer): readonly LocatedFault[] => {
    const known = judged.get(server);
    if (known !== undefined) return known;
    const faults = judge(server).map((fault) => ({ ...fault, resource: serverName(server.id) }));
    judged.set(server, faults);
    return faults;
  };
  return ({ servers }) => servers.flatMap(judgeOnce);
};

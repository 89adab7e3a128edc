// A demand for a stronger sign-in that names a tool nobody has protects nothing, and nobody would notice: it is refused.

import type { McpServer } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';
import { judgeToolName, toolNames } from '#registry/commands/rules/tool-names.ts';

const judgeServer = (server: McpServer): Fault[] => {
  const known = toolNames(server);
  return server.bindings.flatMap(({ requiredAssurance = [] }, binding) =>
    requiredAssurance.flatMap(({ tools = [] }, rule) =>
      tools.flatMap((tool, index) =>
        judgeToolName(known, tool, `/bindings/${binding}/requiredAssurance/${rule}/tools/${index}`),
      ),
    ),
  );
};

/** Assurance is asked for tools that exist. */
export const assuranceRule: Rule = eachServer(judgeServer);

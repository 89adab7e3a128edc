// An argument constraint that names a tool nobody has guards nothing, and nobody would notice: it is refused.

import type { ArgumentConstraint, McpServer } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';
import { judgeToolName, toolNames } from '#registry/commands/rules/tool-names.ts';

const LIMITS = ['oneOf', 'maximum', 'maxLength', 'prefix'] as const;

const judgeConstraint = (constraint: ArgumentConstraint, at: string, tools: ReadonlySet<string>): Fault[] => {
  const faults: Fault[] = [];
  if (LIMITS.filter((limit) => constraint[limit] !== undefined).length !== 1)
    faults.push({ pointer: at, message: `exactly one of ${LIMITS.join(', ')} is given` });
  return [...faults, ...judgeToolName(tools, constraint.tool, `${at}/tool`)];
};

const judgeServer = (server: McpServer): Fault[] => {
  const tools = toolNames(server);
  return [
    ...server.constraints.flatMap((constraint, index) =>
      judgeConstraint(constraint, `/constraints/${index}`, tools),
    ),
    ...repeated(server.constraints.map(({ name }) => name)).map((name) => ({
      pointer: '/constraints',
      message: `two constraints are named ${name}`,
    })),
  ];
};

/** Constraints name existing tools, carry one limit each, and have names of their own. */
export const constraintRule: Rule = eachServer(judgeServer);

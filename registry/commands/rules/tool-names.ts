// Which tools a setting of a server may name.

import type { McpServer } from '#core/server.ts';
import type { Fault } from '#registry/commands/outcome.ts';

/** Tools of all versions: a setting may name a tool that only the version before, or the next one, has. */
export const toolNames = (server: McpServer): ReadonlySet<string> =>
  new Set(server.versions.flatMap((version) => version.tools.map((tool) => tool.name)));

/** Before the first version is published there is nothing to compare with; publishing makes up for it. */
export const judgeToolName = (tools: ReadonlySet<string>, tool: string, pointer: string): Fault[] =>
  tools.size === 0 || tools.has(tool) ? [] : [{ pointer, message: `no version has a tool ${tool}` }];

/** The same of the `tools` of a rule. @param at pointer of the rule. */
export const judgeToolList = (
  tools: ReadonlySet<string>,
  named: readonly string[] | undefined,
  at: string,
): Fault[] => (named ?? []).flatMap((tool, index) => judgeToolName(tools, tool, `${at}/tools/${index}`));

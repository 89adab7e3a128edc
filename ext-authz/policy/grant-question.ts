// The question put to a tenant's policy about grants. It holds nothing of the call but which tools there are to be seen,
// and it is the same for a list and for a call: nobody can prove of a compiled policy that its grants read no arguments,
// so they are given none. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { McpTarget } from '#core/mcp-call.ts';
import type { VisibleLists } from '#core/policy/answer.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';

/** As if all were listed; a policy cannot tell for which method it is asked. */
const CALL: JsonObject = { kind: 'request', method: 'tools/list', list: 'tools', targets: [], values: {} };

/** The called tool as a list would show it: limits on its arguments are no grant's affair. */
const calledTool = (tool: Json | undefined): Json => {
  if (!isJsonObject(tool)) return [];
  const { constraints: _constraints, ...facts } = tool;
  return [facts];
};

/** @param input of the call, whatever it was made for. */
export const grantQuestion = (input: PolicyInput): PolicyInput => {
  const { tenant, identity, server, grants, tool } = input;
  const { tools = calledTool(tool), ...facts } = isJsonObject(server) ? server : {};
  const known = Object.entries({ tenant, identity, grants }).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(known) as JsonObject), server: { ...facts, tools }, call: CALL };
};

const shows = (visible: VisibleLists, { kind, name }: McpTarget): boolean => {
  const names = { tool: visible.tools, prompt: visible.prompts, resource: visible.resources }[kind];
  return names.all || names.names.includes(name);
};

/** The first target that the lists do not show. */
export const findHiddenTarget = (
  visible: VisibleLists,
  targets: readonly McpTarget[],
): McpTarget | undefined => targets.find((target) => !shows(visible, target));

// What was approved of a tool, as it stands in a list: the members that a manifest can pin.

import type { Json, JsonObject } from '#core/json.ts';
import { isSameJson } from '#core/same-json.ts';
import type { Tool } from '#core/server.ts';

/** Members of a Tool (MCP, server features: tools) that a manifest pins. */
export const PINNED_MEMBERS = [
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
] as const satisfies readonly (keyof Tool)[];

/** A tool's pinned members alone. */
export type Definition = JsonObject;

/** Own members: what hangs on a prototype was never in the JSON text. */
const memberOf = (tool: object, name: string): Json | undefined =>
  Object.hasOwn(tool, name) ? (tool as JsonObject)[name] : undefined;

const definitionOf = (tool: object): Definition =>
  Object.fromEntries(
    PINNED_MEMBERS.flatMap((name) => {
      const member = memberOf(tool, name);
      return member === undefined ? [] : [[name, member]];
    }),
  );

// Versions are immutable, and each list of a server is held against the same tools.
const approved = new WeakMap<Tool, Definition>();

/** The same object for the same tool. */
export const approvedDefinition = (tool: Tool): Definition => {
  const known = approved.get(tool) ?? definitionOf(tool);
  approved.set(tool, known);
  return known;
};

/**
 * What an entry of a list says of its tool, where that is not what was approved. An absent member is equal to an absent one
 * alone: `annotations: {}` says the same as no annotations only to a client that knows the defaults of its revision.
 * @returns undefined where it is what was approved.
 */
export const differingDefinition = (entry: JsonObject, tool: Tool): Definition | undefined => {
  const pinned = approvedDefinition(tool);
  const isApproved = PINNED_MEMBERS.every((name) =>
    isSameJson(memberOf(entry, name), memberOf(pinned, name)),
  );
  return isApproved ? undefined : definitionOf(entry);
};

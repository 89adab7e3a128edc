// What was approved of a tool, as it stands in a list: the members that a manifest can pin, and one text to know them by.

import { canonicalJson } from '#core/canonical-json.ts';
import type { Json, JsonObject } from '#core/json.ts';
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

/** A tool's pinned members and their canonical text: two are one definition exactly where the texts are equal. */
export type Definition = { readonly members: JsonObject; readonly canonical: string };

/** Own members alone: what hangs on a prototype was never in the JSON text. */
const definitionOf = (tool: object): Definition => {
  const members = Object.fromEntries(
    PINNED_MEMBERS.flatMap((name) => {
      const member: unknown = Object.hasOwn(tool, name) ? tool[name as keyof typeof tool] : undefined;
      return member === undefined ? [] : [[name, member as Json]];
    }),
  );
  return { members, canonical: canonicalJson(members) };
};

// Versions are immutable, and each list of a server is held against the same tools.
const approved = new WeakMap<Tool, Definition>();

/** The same object for the same tool. */
export const approvedDefinition = (tool: Tool): Definition => {
  const known = approved.get(tool) ?? definitionOf(tool);
  approved.set(tool, known);
  return known;
};

/**
 * What an entry of a list says of its tool. An absent member is equal to an absent one alone: `annotations: {}` says the
 * same as no annotations only to a client that knows the defaults of its revision.
 */
export const servedDefinition = (entry: JsonObject): Definition => definitionOf(entry);

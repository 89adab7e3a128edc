// One tool in a list, held against what was approved of it.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { DriftMode } from '#core/response-guard.ts';
import type { Tool } from '#core/server.ts';
import {
  approvedDefinition,
  type Definition,
  differingDefinition,
  PINNED_MEMBERS,
} from '#ext-proc/pins/approved-tool.ts';

/** What becomes of an entry: left as it is, without some members, replaced, or taken out. */
export type EntryFate =
  | { readonly kind: 'kept' }
  | { readonly kind: 'stripped'; readonly members: readonly string[] }
  | { readonly kind: 'replaced'; readonly text: string }
  | { readonly kind: 'dropped' };

/** A pinned tool that was in a list. */
export type ComparedTool = {
  readonly tool: Tool;
  /** Absent: what was approved. */
  readonly served?: Definition;
};

export type JudgedTool = { readonly fate: EntryFate; readonly compared: ComparedTool };

export const KEPT: EntryFate = { kind: 'kept' };
export const DROPPED: EntryFate = { kind: 'dropped' };

const TASK_SUPPORT: readonly unknown[] = ['forbidden', 'optional', 'required'];

/** `execution` with the values the protocol knows (2025-11-25, tasks): it has no room for text. */
const isKnownExecution = (value: Json | undefined): boolean =>
  isJsonObject(value) &&
  Object.keys(value).every((key) => key === 'taskSupport') &&
  TASK_SUPPORT.includes(value['taskSupport']);

const PINNED: ReadonlySet<string> = new Set(PINNED_MEMBERS);

/** Members that no manifest can pin: icons, `_meta`, whatever a later revision brings. Nobody has approved what they say. */
const unpinnedMembers = (entry: JsonObject): readonly string[] =>
  Object.keys(entry).filter(
    (key) => !PINNED.has(key) && !(key === 'execution' && isKnownExecution(entry[key])),
  );

const strip = (entry: JsonObject): EntryFate => {
  const members = unpinnedMembers(entry);
  return members.length === 0 ? KEPT : { kind: 'stripped', members };
};

const fateOfDrifted = (tool: Tool, mode: Exclude<DriftMode, 'report'>): EntryFate =>
  mode === 'hide' ? DROPPED : { kind: 'replaced', text: JSON.stringify(approvedDefinition(tool)) };

/**
 * Judges one entry of a list of tools by the tool that is pinned under its name.
 * @param mode with `report` every entry stays as the server wrote it.
 */
export const judgeTool = (entry: JsonObject, tool: Tool, mode: DriftMode): JudgedTool => {
  const served = differingDefinition(entry, tool);
  const compared = served === undefined ? { tool } : { tool, served };
  if (mode === 'report') return { fate: KEPT, compared };
  return { fate: served === undefined ? strip(entry) : fateOfDrifted(tool, mode), compared };
};

// One list of a result, cut to the names its order lets show, its tools to what was approved of them. Order of what stays
// is the server's.

import { findTool } from '#core/find-tool.ts';
import type { ListOrder, VisibleNames } from '#core/guard-orders.ts';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import type { McpListKind, ProtocolEra } from '#core/mcp-call.ts';
import type { DriftMode } from '#core/response-guard.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { ServerVersion } from '#core/server.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { PINNED_MEMBERS } from '#ext-proc/pins/approved-tool.ts';
import {
  type ComparedTool,
  DROPPED,
  type EntryFate,
  type JudgedTool,
  judgeTool,
  KEPT,
} from '#ext-proc/pins/judge-tool.ts';

/** The member of an entry that names it, by the member of the result that holds the list (MCP, server features). */
export const LIST_KEYS: Readonly<Record<McpListKind, 'name' | 'uri' | 'uriTemplate'>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

export const LIST_KINDS = Object.keys(LIST_KEYS) as readonly McpListKind[];

/** What tools are held against. */
export type Pins = { readonly version: ServerVersion; readonly mode: DriftMode };

/** What a result is cut by. */
export type ListRules = {
  readonly orders: readonly ListOrder[];
  readonly era: ProtocolEra;
  readonly pins: Pins;
};

export type JudgedEntries = {
  /** For each entry, in order. */
  readonly fates: readonly EntryFate[];
  /** Pinned tools among them, whoever may see them. */
  readonly tools: readonly ComparedTool[];
};

const NOTHING: VisibleNames = { all: false, names: [] };

/** Members by which an entry is judged: none may stand in it under a key that some reader takes for another. */
const judgedMembers = (kind: McpListKind): readonly string[] =>
  kind === 'tools' ? PINNED_MEMBERS : [LIST_KEYS[kind]];

const nameOf = (entry: Json, kind: McpListKind): Result<string, AnswerFault> => {
  const key = LIST_KEYS[kind];
  if (!isJsonObject(entry)) return err(refused('entry_shape'));
  const name = Object.hasOwn(entry, key) ? entry[key] : undefined;
  if (typeof name !== 'string') return err(refused('entry_shape'));
  return findKeyVariant(entry, judgedMembers(kind)) === undefined ? ok(name) : err(refused('key_variant'));
};

/** Names of all entries. Two entries of one name are a fault: which of them was granted? */
const namesOf = (entries: readonly Json[], kind: McpListKind): Result<readonly string[], AnswerFault> => {
  const names = new Set<string>();
  for (const entry of entries) {
    const name = nameOf(entry, kind);
    if (!name.ok) return name;
    if (names.has(name.value)) return err(refused('entry_repeated'));
    names.add(name.value);
  }
  return ok([...names]);
};

/** A tool without a pin is shown to nobody, whatever a policy says: nothing of it was approved. */
const judgeTools = (
  entries: readonly Json[],
  names: readonly string[],
  { version, mode }: Pins,
): readonly (JudgedTool | undefined)[] =>
  names.map((name, at) => {
    const tool = findTool(version, name);
    return tool === undefined ? undefined : judgeTool(entries[at] as JsonObject, tool, mode);
  });

/** A list of tools as it was judged last, whoever may see what of it. */
type JudgedTools = Pins & {
  readonly names: readonly string[];
  readonly judged: readonly (JudgedTool | undefined)[];
};

// A list that was read from known bytes is the same array again (message/list-memory.ts), and a pinned tool never changes:
// neither its names nor what differs in it can be other than they were for the same version under the same mode.
const judgedLists = new WeakMap<readonly Json[], JudgedTools>();

const judgeAllTools = (entries: readonly Json[], pins: Pins): Result<JudgedTools, AnswerFault> => {
  const known = judgedLists.get(entries);
  if (known?.version === pins.version && known.mode === pins.mode) return ok(known);
  const names = namesOf(entries, 'tools');
  if (!names.ok) return names;
  const judged = { ...pins, names: names.value, judged: judgeTools(entries, names.value, pins) };
  judgedLists.set(entries, judged);
  return ok(judged);
};

/**
 * Judges one list.
 * @param list the value of the result's member `kind`.
 * @param rules.orders of the answer; a kind that none of them names shows nothing, and is compared with nothing.
 */
export const judgeList = (
  list: Json,
  kind: McpListKind,
  rules: Pick<ListRules, 'orders' | 'pins'>,
): Result<JudgedEntries, AnswerFault> => {
  if (!Array.isArray(list)) return err(refused('list_shape'));
  const entries = list as readonly Json[];
  const order = rules.orders.find((candidate) => candidate.kind === kind);
  const visible = order?.visible ?? NOTHING;
  const shown = visible.all ? undefined : new Set(visible.names);
  const isShown = (name: string): boolean => shown === undefined || shown.has(name);
  if (kind !== 'tools' || order === undefined) {
    const names = namesOf(entries, kind);
    if (!names.ok) return names;
    return ok({ fates: names.value.map((name) => (isShown(name) ? KEPT : DROPPED)), tools: [] });
  }
  const tools = judgeAllTools(entries, rules.pins);
  if (!tools.ok) return tools;
  const { names, judged } = tools.value;
  return ok({
    fates: names.map((name, at) => (isShown(name) ? (judged[at]?.fate ?? DROPPED) : DROPPED)),
    tools: judged.flatMap((tool) => tool?.compared ?? []),
  });
};

// One list of a result, cut to the names its order lets show. Order of what stays is the server's.

import type { ListOrder, VisibleNames } from '#core/guard-orders.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import type { McpListKind } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';

/** The member of an entry that names it, by the member of the result that holds the list (MCP, server features). */
export const LIST_KEYS: Readonly<Record<McpListKind, 'name' | 'uri' | 'uriTemplate'>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
};

export const LIST_KINDS = Object.keys(LIST_KEYS) as readonly McpListKind[];

const NOTHING: VisibleNames = { all: false, names: [] };

const nameOf = (entry: Json, key: string): Result<string, AnswerFault> => {
  if (!isJsonObject(entry)) return err(refused('entry_shape'));
  const name = Object.hasOwn(entry, key) ? entry[key] : undefined;
  if (typeof name !== 'string') return err(refused('entry_shape'));
  return findKeyVariant(entry, [key]) === undefined ? ok(name) : err(refused('key_variant'));
};

/** Names of all entries. Two entries of one name are a fault: which of them was granted? */
const namesOf = (entries: readonly Json[], key: string): Result<readonly string[], AnswerFault> => {
  const names = new Set<string>();
  for (const entry of entries) {
    const name = nameOf(entry, key);
    if (!name.ok) return name;
    if (names.has(name.value)) return err(refused('entry_repeated'));
    names.add(name.value);
  }
  return ok([...names]);
};

/**
 * Judges one list.
 * @param list the value of the result's member `kind`.
 * @param orders of the answer; a kind that none of them names shows nothing.
 * @returns for each entry, in order, whether it stays.
 */
export const judgeList = (
  list: Json,
  kind: McpListKind,
  orders: readonly ListOrder[],
): Result<readonly boolean[], AnswerFault> => {
  if (!Array.isArray(list)) return err(refused('list_shape'));
  const names = namesOf(list as readonly Json[], LIST_KEYS[kind]);
  if (!names.ok) return names;
  const visible = orders.find((order) => order.kind === kind)?.visible ?? NOTHING;
  if (visible.all) return ok(names.value.map(() => true));
  const shown = new Set(visible.names);
  return ok(names.value.map((name) => shown.has(name)));
};

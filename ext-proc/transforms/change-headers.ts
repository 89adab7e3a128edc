// What becomes of a server's response headers: those that rules change, and those that are kept for values extracted
// from the body, which no server may fill itself.

import { isFreeHeader } from '#core/free-header.ts';
import { isForTool } from '#core/guard-in-force.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { HeaderChange, ResponseGuardInForce } from '#core/response-guard.ts';
import type { AnswerHeaders } from '#ext-proc/answer-head.ts';

/** By name, the values that are sent in the place of the server's; none: the header is taken away. */
export type HeaderMutation = ReadonlyMap<string, readonly string[]>;

export const NO_HEADERS: HeaderMutation = new Map();

const namesOf = (change: HeaderChange): readonly string[] =>
  change.action === 'rename' ? [change.name, change.to] : [change.name];

const apply = (change: HeaderChange, changed: Map<string, readonly string[]>, sent: AnswerHeaders): void => {
  const { name } = change;
  if (change.action === 'add') changed.set(name, [change.value]);
  else if (change.action === 'remove') changed.set(name, []);
  else {
    const values = changed.get(name) ?? sent.get(name) ?? [];
    if (values.length > 0) changed.set(change.to, values);
    changed.set(name, []);
  }
};

/**
 * Rules in their order, each on what the one before has left.
 * @returns undefined where a rule is about a header that is not to be changed: nothing passes without a rule of its server.
 */
export const changeHeaders = (
  sent: AnswerHeaders,
  guard: Pick<ResponseGuardInForce, 'headers' | 'extractions'>,
  { tool }: GuardOrders,
): HeaderMutation | undefined => {
  const changes = guard.headers.filter((change) => isForTool(change, tool));
  const filled = guard.extractions.flatMap(({ header }) => header ?? []);
  if (![...changes.flatMap(namesOf), ...filled].every(isFreeHeader)) return undefined;
  const changed = new Map<string, readonly string[]>();
  for (const change of changes) apply(change, changed, sent);
  for (const header of filled) changed.set(header, []);
  return changed;
};

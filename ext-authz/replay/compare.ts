// A recorded answer beside the one another policy gives now. Pure.

import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '#core/json.ts';
import type { PolicyDecision, VisibleLists } from '#core/policy/answer.ts';

/** What a change means for the caller. `fails` and `answers`: one of the two policies could not judge the call. */
export const CHANGES = [
  'now refused',
  'now allowed',
  'other reason',
  'other orders',
  'other list',
  'fails',
  'answers',
] as const;
export type Change = (typeof CHANGES)[number];

export type Difference = { readonly change: Change; readonly before: string; readonly now: string };

const reasonWords = ({ reason, constraint, requiredScopes }: JsonObject): string =>
  [String(reason), constraint, requiredScopes === undefined ? undefined : JSON.stringify(requiredScopes)]
    .filter((word) => word !== undefined)
    .join(' ');

const decisionWords = (decision: JsonObject): string => {
  if (decision['allow'] !== true) return `refused: ${reasonWords(decision)}`;
  const orders = JSON.stringify(decision['obligations'] ?? {});
  return orders === '{}' ? 'allowed' : `allowed with ${orders}`;
};

const changeOfDecision = (before: JsonObject, now: JsonObject): Change | undefined => {
  if (before['allow'] !== now['allow']) return now['allow'] === true ? 'now allowed' : 'now refused';
  if (now['allow'] === true)
    return isDeepStrictEqual(before['obligations'], now['obligations']) ? undefined : 'other orders';
  return reasonWords(before) === reasonWords(now) ? undefined : 'other reason';
};

/** Undefined: the same. An answer that is absent failed. */
export const compareDecisions = (
  before: JsonObject | undefined,
  now: PolicyDecision | undefined,
): Difference | undefined => {
  if (before === undefined && now === undefined) return undefined;
  if (now === undefined)
    return { change: 'fails', before: decisionWords(before ?? {}), now: 'policy_failed' };
  const answer = now as unknown as JsonObject;
  if (before === undefined) return { change: 'answers', before: 'policy_failed', now: decisionWords(answer) };
  const change = changeOfDecision(before, answer);
  return change === undefined
    ? undefined
    : { change, before: decisionWords(before), now: decisionWords(answer) };
};

const KINDS = ['tools', 'prompts', 'resources', 'resourceTemplates'] as const;

type Names = { readonly all?: boolean; readonly names?: readonly string[] };

const shownBy = (lists: Readonly<Record<string, unknown>>): ReadonlySet<string> =>
  new Set(
    KINDS.flatMap((kind) => {
      const { all, names = [] } = (lists[kind] ?? {}) as Names;
      return all === true ? [`${kind}/*`] : names.map((name) => `${kind}/${name}`);
    }),
  );

const MAX_NAMED = 5;

const namesOf = (names: ReadonlySet<string>): string => {
  const shown = [...names].slice(0, MAX_NAMED).join(', ');
  return names.size > MAX_NAMED ? `${shown} and ${names.size - MAX_NAMED} more` : shown || 'nothing';
};

/** Undefined: the same lists. */
export const compareLists = (
  before: JsonObject | undefined,
  now: VisibleLists | undefined,
): Difference | undefined => {
  if (before === undefined && now === undefined) return undefined;
  if (now === undefined)
    return { change: 'fails', before: namesOf(shownBy(before ?? {})), now: 'policy_failed' };
  const shown = shownBy(now as unknown as JsonObject);
  if (before === undefined) return { change: 'answers', before: 'policy_failed', now: namesOf(shown) };
  const known = shownBy(before);
  if (isDeepStrictEqual(known, shown)) return undefined;
  const gone = new Set([...known].filter((name) => !shown.has(name)));
  const added = new Set([...shown].filter((name) => !known.has(name)));
  return { change: 'other list', before: `hides ${namesOf(gone)}`, now: `adds ${namesOf(added)}` };
};

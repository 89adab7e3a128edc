// Recorded decisions put to another policy, in the engine that would serve it, one line at a time: a log of any length
// takes the same memory.

import type { JsonObject } from '#core/json.ts';
import { isJsonObject } from '#core/json.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';
import { compareDecisions, compareLists, type Difference } from '#ext-authz/replay/compare.ts';
import { type RecordedDecision, readEvent } from '#ext-authz/replay/read-event.ts';
import { createTally, type Summary } from '#ext-authz/replay/tally.ts';

const ARGUMENTS = '/input/call/arguments';

const differenceOf = (
  engine: PolicyEngine,
  { path, input, result }: RecordedDecision,
): Difference | undefined => {
  if (path === 'mcp/authz/decision') {
    const now = engine.evaluate(input);
    return compareDecisions(result, now.ok ? now.value : undefined);
  }
  const now = engine.visible(input);
  return compareLists(result, now.ok ? now.value : undefined);
};

const hasArguments = (input: JsonObject): boolean =>
  isJsonObject(input['call']) && isJsonObject(input['call']['arguments']);

/** What the record lacks that this policy may read. Arguments are recorded only where the policy of the day read them. */
const lackingFor = (engine: PolicyEngine, { path, input, erased }: RecordedDecision): readonly string[] =>
  path === 'mcp/authz/decision' &&
  engine.readsArguments &&
  !hasArguments(input) &&
  !erased.includes(ARGUMENTS)
    ? [...erased, ARGUMENTS]
    : erased;

// Address and session are read by next to no rule; what a call was made with is what constraints are about.
const isUncertain = (lacking: readonly string[]): boolean =>
  lacking.some((pointer) => pointer.startsWith('/input/call'));

/** @throws what the source of lines throws. */
export const replay = async (engine: PolicyEngine, lines: AsyncIterable<string>): Promise<Summary> => {
  const tally = createTally();
  for await (const line of lines) {
    if (line === '') continue;
    const recorded = readEvent(line);
    if (!recorded.ok) {
      tally.unreadable();
      continue;
    }
    const lacking = lackingFor(engine, recorded.value);
    tally.answeredBy(recorded.value.revision);
    tally.lacked(lacking);
    const difference = differenceOf(engine, recorded.value);
    if (difference === undefined) tally.same();
    else tally.changed(recorded.value, difference, isUncertain(lacking));
  }
  return tally.summary();
};

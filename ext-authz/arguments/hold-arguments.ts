// The step of the decision that holds arguments against their schema, and leaves what it finds in the trail, whether the
// call is refused for it or not.

import type { Deny } from '#core/decision.ts';
import { judgeArguments } from '#ext-authz/arguments/judge-arguments.ts';
import type { Trail } from '#ext-authz/trail.ts';

/** @returns arguments_invalid, where the tenant wants such calls refused. */
export const holdArguments = (
  known: Parameters<typeof judgeArguments>[0],
  trail: Trail,
): Deny | undefined => {
  const judged = judgeArguments(known);
  trail.step('arguments', judged === undefined ? {} : { arguments: judged.finding });
  return judged?.refusal;
};

// What both engines are asked in the row of one evaluation.

import { buildPolicyInput, type PolicyInput } from '#ext-authz/policy/input.ts';
import { question, toolCall } from '#test/support/policy-world.ts';

/** Inputs that differ, so that nothing is remembered. */
const INPUTS = 500;

/** A caller of one group, one grant, one limit on an argument: some 700 bytes. */
export const evaluationInputs = (): readonly PolicyInput[] => {
  const built = buildPolicyInput(question({ call: toolCall('create_issue', { priority: 'low' }) }), {
    withArguments: false,
  });
  if (!built.ok) throw new Error(`no policy input: ${built.error.reason}`);
  return Array.from({ length: INPUTS }, (_, index) => ({ ...built.value, tenant: `tenant-${index}` }));
};

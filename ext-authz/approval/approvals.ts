// Step `approval` of the decision: what a rule holds back goes on once a person has said so, and once only. It is the
// last step, so that nobody is asked about a call that could not be made anyway, and none is used up by one.

import { type ApprovalAnswer, type ApprovalQuestion, MAX_SHOWN_BYTES } from '#core/call-approval.ts';
import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { approvedParams } from '#ext-authz/approval/approval-params.ts';

/** Puts a question, or finds it again. The error is for the log. Never rejects. */
export type AskApproval = (question: ApprovalQuestion) => Promise<Result<ApprovalAnswer, string>>;

export type HeldCall = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly identity: Identity;
  readonly call: McpCall;
  /** Names of the rules that hold it back; not empty. */
  readonly rules: readonly string[];
};

const questionOf = ({ identity, call, rules, ...place }: HeldCall): ApprovalQuestion => ({
  ...place,
  method: call.method ?? call.kind,
  targets: call.targets.map(({ name }) => name),
  params: approvedParams(call),
  principal: identity.principal,
  ...(identity.app === undefined ? {} : { application: identity.app }),
  ...(identity.name === undefined ? {} : { callerName: identity.name }),
  rules: [...new Set(rules)].toSorted(),
});

const judge = (answer: ApprovalAnswer, rules: readonly string[]): Result<string, Deny> => {
  if (answer.state === 'granted') return ok(answer.id);
  const log = { rules };
  if (answer.state === 'too-many') return err(deny('approval_backlog', { log }));
  const { state, ...approval } = answer;
  return err(
    deny(state === 'pending' ? 'approval_pending' : 'approval_refused', { public: { approval }, log }),
  );
};

/** @returns the id of the approval that this call has used up, or the refusal. */
export const settleApproval = async (ask: AskApproval, held: HeldCall): Promise<Result<string, Deny>> => {
  const question = questionOf(held);
  const bytes = Buffer.byteLength(JSON.stringify(question.params));
  if (bytes > MAX_SHOWN_BYTES)
    return err(deny('approval_too_large', { log: { bytes, limit: MAX_SHOWN_BYTES } }));
  const answer = await ask(question);
  return answer.ok
    ? judge(answer.value, question.rules)
    : err(deny('approval_unavailable', { log: { error: answer.error } }));
};

// A tenant's policy as something to ask: its thread takes the question, its answer is read like any policy's. Whatever
// goes wrong is policy_failed for this call and no other.

import { type Deny, deny } from '#core/decision.ts';
import type { PolicyDecision, VisibleLists } from '#core/policy/answer.ts';
import { readDecision, readVisible } from '#core/policy/read-answer.ts';
import { err, type Result } from '#core/result.ts';
import type { PolicyInput } from '#ext-authz/policy/input.ts';
import type { Entrypoint, PolicyAnswer, PolicyFault, PolicyThread } from '#runtime/policy/policy-thread.ts';
import { MAX_INPUT_BYTES } from '#runtime/policy/try-policy.ts';

export type TenantEngine = {
  /** Digest of the bundle, for the decision log. */
  readonly revision: string;
  evaluate(input: PolicyInput): Promise<Result<PolicyDecision, Deny>>;
  visible(input: PolicyInput): Promise<Result<VisibleLists, Deny>>;
};

/** What became of one question. */
export type Asked = Result<PolicyAnswer, PolicyFault>;

/** Digits of the digest that name a bundle in the decision log. */
const REVISION_DIGITS = 12;

export const revisionOfBundle = (digest: string): string =>
  `bundle@sha256:${digest.slice(0, REVISION_DIGITS)}`;

/**
 * An engine over a policy that the thread has loaded.
 * @param options.id of the policy in the thread.
 * @param options.onAsked hears of each question that reached the thread.
 */
export const createTenantEngine = (options: {
  readonly thread: Pick<PolicyThread, 'ask'>;
  readonly id: string;
  readonly digest: string;
  readonly onAsked: (asked: Asked) => void;
}): TenantEngine => {
  const { thread, id, onAsked } = options;
  const revision = revisionOfBundle(options.digest);
  const fail = (fault: string): Result<never, Deny> =>
    err(deny('policy_failed', { log: { policy: revision, fault } }));

  const ask = async <T>(
    input: PolicyInput,
    entrypoint: Entrypoint,
    read: (answer: unknown) => Result<T, string>,
  ): Promise<Result<T, Deny>> => {
    const text = JSON.stringify(input);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_INPUT_BYTES) return fail(`input of ${bytes} bytes`);
    const asked = await thread.ask(id, entrypoint, text);
    onAsked(asked);
    if (!asked.ok) return fail(`${asked.error.kind}: ${asked.error.message}`);
    const answer = read(asked.value.results);
    return answer.ok ? answer : fail(answer.error);
  };

  return {
    revision,
    evaluate: (input) => ask(input, 'mcp/authz/decision', readDecision),
    visible: (input) => ask(input, 'mcp/authz/visible', readVisible),
  };
};

// A provider's refusal as what one caller is told of it. Pure.

import { type Deny, deny, type PublicFacts } from '#core/decision.ts';
import { isDelegated } from '#ext-authz/token/exchange-plan.ts';
import type { RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import type { TokenCall } from '#ext-authz/token/token-call.ts';

/** A claims challenge goes to callers who said they can answer one, and about themselves only. */
const claimsFacts = ({ refusal }: RememberedRefusal, { request, plan }: TokenCall): PublicFacts =>
  refusal.claims !== undefined && isDelegated(plan) && request.identity.claimsChallenges
    ? { claims: Buffer.from(refusal.claims).toString('base64') }
    : {};

export const denyFrom = (remembered: RememberedRefusal, call: TokenCall): Deny => {
  const { refusal, until, logFacts } = remembered;
  const waitSeconds = Math.max(1, Math.ceil(until - call.nowSeconds()));
  return deny(refusal.reason, {
    public: {
      ...claimsFacts(remembered, call),
      ...(refusal.isTransient ? { retryAfterSeconds: waitSeconds } : {}),
    },
    log: logFacts,
  });
};

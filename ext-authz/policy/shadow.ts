// A bundle on trial: it is asked what it would have said of calls that are judged already, and where that differs it is
// told. It decides nothing, nobody waits for it, and when it cannot keep up its questions are dropped and counted.

import { isDeepStrictEqual } from 'node:util';
import type { Deny } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import type { Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';
import type { Judgement } from '#ext-authz/policy/judge.ts';
import { judgeForTenant } from '#ext-authz/policy/judge-for-tenant.ts';
import type { TenantEngine } from '#ext-authz/policy/tenant-engine.ts';
import type { Logger } from '#runtime/logger.ts';

type Judged = Result<Judgement, Deny>;

/**
 * `none`: it would have said the same. `would-refuse`, `would-allow`: the other way round. `other-reason`: both refuse,
 * for another reason or by another constraint. `other-lists`: both allow, and lists would show other names.
 * `other-orders`: both allow, with other orders. `failed`: it did not answer. `dropped`: it was not asked.
 */
export type ShadowDifference =
  | 'none'
  | 'would-refuse'
  | 'would-allow'
  | 'other-reason'
  | 'other-lists'
  | 'other-orders'
  | 'failed'
  | 'dropped';

export type Shadow = {
  /**
   * Compares what became of a call, once that is known.
   * @param permitted what the platform's policy said: what that refuses, no policy of a tenant changes.
   */
  observe(question: PolicyQuestion, permitted: Judgement, judged: Judged | Promise<Judged>): void;
};

/** Calls whose comparison is under way; each may hold a quarter of a megabyte of arguments. */
const MAX_UNDER_WAY = 32;

/** Lines of one tenant a second. The rest is counted all the same: a flood of lines says nothing more. */
const MAX_LINES = 20;

const bothAllow = (ours: Judgement, theirs: Judgement): ShadowDifference => {
  if (!isDeepStrictEqual(ours.lists, theirs.lists)) return 'other-lists';
  return isDeepStrictEqual(ours.obligations, theirs.obligations) ? 'none' : 'other-orders';
};

const isSameRefusal = (ours: Deny, theirs: Deny): boolean =>
  ours.reason === theirs.reason && isDeepStrictEqual(ours.publicFacts, theirs.publicFacts);

/** What the shadow makes of a call that was judged like this. */
export const differenceBetween = (ours: Judged, theirs: Judged): ShadowDifference => {
  if (!theirs.ok && theirs.error.reason === 'policy_failed') return 'failed';
  if (ours.ok) return theirs.ok ? bothAllow(ours.value, theirs.value) : 'would-refuse';
  if (theirs.ok) return 'would-allow';
  return isSameRefusal(ours.error, theirs.error) ? 'none' : 'other-reason';
};

const reasonFacts = (judged: Judged): JsonObject => {
  if (judged.ok) return { decision: 'allow' };
  const { reason, publicFacts } = judged.error;
  return {
    decision: 'deny',
    reason,
    ...(publicFacts.constraint === undefined ? {} : { constraint: publicFacts.constraint }),
  };
};

/** Names what was called and who called; arguments stay where they are. */
const callFacts = ({ tenant, server, version, identity, call, request }: PolicyQuestion): JsonObject => ({
  tenant: tenant.id,
  server: server.id,
  version: version.version,
  principal: identity.principal,
  ...(request.id === undefined ? {} : { requestId: request.id }),
  ...(call.method === undefined ? {} : { method: call.method }),
  ...(call.targets.length === 0 ? {} : { targets: call.targets.map(({ kind, name }) => `${kind}/${name}`) }),
});

/** At most so many a second for each tenant. */
const createLineLimit = (nowMs: () => number) => {
  const seconds = new Map<string, { readonly second: number; lines: number }>();
  return (tenantId: string): boolean => {
    const second = Math.floor(nowMs() / 1_000);
    const known = seconds.get(tenantId);
    const window = known?.second === second ? known : { second, lines: 0 };
    seconds.set(tenantId, window);
    window.lines += 1;
    return window.lines <= MAX_LINES;
  };
};

/** @param parts.serving the shadow of a tenant, if it is there to be asked. */
export const createShadow = (parts: {
  readonly serving: (tenant: Tenant) => TenantEngine | undefined;
  readonly compared: (tenantId: string, difference: ShadowDifference) => void;
  readonly logger: Logger;
  readonly monotonicMs: () => number;
}): Shadow => {
  const { serving, compared, logger } = parts;
  const mayTell = createLineLimit(parts.monotonicMs);
  let underWay = 0;

  const tell = (
    question: PolicyQuestion,
    shadow: string,
    [ours, theirs]: readonly [Judged, Judged],
  ): void => {
    const difference = differenceBetween(ours, theirs);
    compared(question.tenant.id, difference);
    if (difference === 'none' || !mayTell(question.tenant.id)) return;
    const fault =
      theirs.ok || difference !== 'failed' ? {} : { fault: theirs.error.logFacts['fault'] ?? null };
    const facts = { difference, shadow, judged: reasonFacts(ours), shadowed: reasonFacts(theirs), ...fault };
    logger.info({ ...callFacts(question), ...facts }, 'shadow policy differs');
  };

  const compare = async (
    engine: TenantEngine,
    question: PolicyQuestion,
    { permitted, judged }: { readonly permitted: Judgement; readonly judged: Judged | Promise<Judged> },
  ): Promise<void> => {
    const ours = await judged;
    // What the tenant's own policy could not judge says nothing of either.
    if (!ours.ok && ours.error.reason === 'policy_failed') return compared(question.tenant.id, 'dropped');
    tell(question, engine.revision, [ours, await judgeForTenant(engine, question, permitted)]);
  };

  return {
    observe: (question, permitted, judged) => {
      const engine = serving(question.tenant);
      if (engine === undefined || underWay >= MAX_UNDER_WAY) {
        compared(question.tenant.id, 'dropped');
        return;
      }
      underWay += 1;
      // After the call has been answered: whatever this costs, it is not the call that waits.
      setImmediate(() => {
        compare(engine, question, { permitted, judged })
          .catch(() => compared(question.tenant.id, 'failed'))
          .finally(() => {
            underWay -= 1;
          });
      });
    },
  };
};

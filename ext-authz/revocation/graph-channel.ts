// One directory watched through Microsoft Graph for people whose sign-ins were ended: in every round, who changed since
// the last one and is known here, and then those who were not looked at for longest. Knows no clock and no timer.

import { ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { sweepDirectory } from '#ext-authz/revocation/graph-delta.ts';
import { type LookParts, lookAtAll, type RoundFault, roundFault } from '#ext-authz/revocation/graph-look.ts';
import type { GraphSession } from '#ext-authz/revocation/graph-people.ts';

export type GraphChannelParts = LookParts & {
  /** Origin, without a slash. */
  readonly graphUrl: string;
  /** An application token for Graph; the error is a reason, for the log. */
  readonly acquireToken: (nowSeconds: number) => Promise<Result<Secret, string>>;
  /** People looked at in one round beside those who changed; absent: 800, which takes 40 requests. */
  readonly maxDue?: number;
};

export type GraphChannel = {
  /** Never rejects. Ok: everything that was to be known of this round is known and on record. */
  round(nowSeconds: number): Promise<Result<true, RoundFault>>;
  /** Looks at people now, because somebody says that they changed. Those without tokens are left out. */
  look(oids: readonly string[], nowSeconds: number): Promise<Result<true, RoundFault>>;
};

export const createGraphChannel = (parts: GraphChannelParts): GraphChannel => {
  const { ask, people, graphUrl, maxDue = 800 } = parts;
  let next: string | undefined;

  const open = async (nowSeconds: number): Promise<Result<GraphSession, RoundFault>> => {
    const token = await parts.acquireToken(nowSeconds);
    return token.ok ? ok({ graphUrl, token: token.value, nowSeconds }) : roundFault('token', token.error);
  };

  const holders = (oids: Iterable<string>, nowSeconds: number): readonly string[] =>
    [...oids].filter((oid) => people.find(oid, nowSeconds) !== undefined);

  /** Who changed. Nobody, if Graph has forgotten where we were: the next sweep begins anew, and everybody's turn comes. */
  const sweep = async (session: GraphSession): Promise<Result<readonly string[], RoundFault>> => {
    const swept = await sweepDirectory(ask, session, next);
    if (!swept.ok && swept.error.kind !== 'expired') return roundFault('sweep', swept.error.detail);
    next = swept.ok ? swept.value.next : undefined;
    return ok(swept.ok ? holders(swept.value.changed, session.nowSeconds) : []);
  };

  return {
    round: async (nowSeconds) => {
      const session = await open(nowSeconds);
      if (!session.ok) return session;
      const changed = await sweep(session.value);
      const due = people.take(maxDue, nowSeconds);
      const oids = new Set([...(changed.ok ? changed.value : []), ...due]);
      const looked = await lookAtAll(parts, session.value, [...oids]);
      return changed.ok ? looked : changed;
    },
    look: async (oids, nowSeconds) => {
      const known = holders(oids, nowSeconds);
      if (known.length === 0) return ok(true);
      const session = await open(nowSeconds);
      return session.ok ? lookAtAll(parts, session.value, known) : session;
    },
  };
};

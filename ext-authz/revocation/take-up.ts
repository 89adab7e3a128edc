// What is forgotten when marks arrive: verified tokens, groups that were looked up, tokens for servers. None of it could
// let anybody in any more, because every call is held against the marks; but what is of no use is not kept, and what the
// next sign-in finds is new.

import { GatewayError } from '#core/gateway-error.ts';
import { type CredentialFacts, credentialFacts, type Revocation } from '#core/revocation.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import type { KnownCaller } from '#ext-authz/identity/token-cache.ts';
import { principalsOf } from '#ext-authz/revocation/principals-of.ts';
import type { TokenBroker } from '#ext-authz/token/broker.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type ForgetParts = {
  readonly snapshot: () => Snapshot;
  /** Drops verified tokens; @returns whose they were. */
  readonly forgetTokens: (isMeant: (caller: KnownCaller) => boolean) => readonly KnownCaller[];
  /** Drops groups that were looked up, whenever their caller's token began. */
  readonly forgetGroups: (isMeant: (tenantId: string, facts: CredentialFacts) => boolean) => void;
  readonly broker: Pick<TokenBroker, 'purge'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
};

/** @returns what takes up marks that arrive together. */
export const createTakeUp = ({
  snapshot,
  forgetTokens,
  forgetGroups,
  broker,
  logger,
  metrics,
}: ForgetParts): ((revocations: readonly Revocation[]) => void) => {
  const taken = metrics.counter(
    'revocations_total',
    'Revocations that arrived, by the channel they came by.',
    ['source'],
  );

  const ownersOf = ({ tenantId, target }: Revocation): readonly KnownCaller['owner'][] => {
    const tenant = findTenant(snapshot(), tenantId);
    return tenant === undefined
      ? []
      : principalsOf(tenant, target).map((principal) => ({ tenantId, principal }));
  };

  const purge = ({ tenantId, principal }: KnownCaller['owner']): void => {
    broker.purge(tenantId, principal).catch((thrown: unknown) => {
      const { message: error } = GatewayError.from(thrown);
      logger.error({ tenant: tenantId, error }, 'tokens of a revoked caller not purged');
    });
  };

  return (revocations) => {
    const book = createRevocationBook();
    for (const revocation of revocations) {
      book.take(revocation, 0);
      taken.inc({ source: revocation.source });
    }
    const seen = forgetTokens(
      ({ owner, identity }) => book.find(owner.tenantId, credentialFacts(identity)) !== undefined,
    );
    forgetGroups((tenantId, facts) => book.sessionsFrom(tenantId, facts) > 0);
    const owners = [...revocations.flatMap(ownersOf), ...seen.map(({ owner }) => owner)];
    const distinct = new Map(
      owners.map((owner) => [JSON.stringify([owner.tenantId, owner.principal]), owner]),
    );
    for (const owner of distinct.values()) purge(owner);
    logger.info({ revocations: revocations.length, verifiedTokens: seen.length }, 'revocations taken up');
  };
};

// A directory as it is watched in this process: with tokens of the issuer's application, marks that go to the registry, and
// a log of what could not be learnt.

import type { Result } from '#core/result.ts';
import type { RevocationAnswer, RevocationReport } from '#core/revocation.ts';
import type { ChannelQuestion, NotificationAddress } from '#core/signal-channel.ts';
import type { AskGraph } from '#ext-authz/graph/ask-graph.ts';
import type { ActivePeople } from '#ext-authz/revocation/active-people.ts';
import { createGraphChannel } from '#ext-authz/revocation/graph-channel.ts';
import { directoryKey, type GraphDirectory } from '#ext-authz/revocation/graph-directories.ts';
import { acquireGraphToken } from '#ext-authz/revocation/graph-errand.ts';
import type { RoundFault } from '#ext-authz/revocation/graph-look.ts';
import type { PersonMark } from '#ext-authz/revocation/judge-finding.ts';
import { keepOrder } from '#ext-authz/revocation/standing-order.ts';
import { type WatchedDirectory, watchDirectory } from '#ext-authz/revocation/watched-directory.ts';
import type { ErrandTokens } from '#ext-authz/token/broker.ts';
import type { Logger } from '#runtime/logger.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

export type DirectoryParts = {
  readonly ask: AskGraph;
  readonly broker: ErrandTokens;
  /** Puts a mark on record at the registry. */
  readonly report: (report: RevocationReport) => Promise<Result<RevocationAnswer, string>>;
  /** Where Graph is to send notifications. */
  readonly openChannel: (question: ChannelQuestion) => Promise<Result<NotificationAddress, string>>;
  readonly shared: Pick<SharedState, 'claim' | 'release'>;
  /** Of this process, unlike any other's. */
  readonly holder: string;
  readonly logger: Logger;
  readonly nowSeconds: () => number;
};

const placeOf = ({ tenant, issuer, tid }: GraphDirectory) => ({
  tenant: tenant.id,
  issuer: issuer.id,
  directory: tid,
});

/** How Graph is asked about the directory, by whatever asks. */
const askerOf = ({ ask, broker }: DirectoryParts, directory: GraphDirectory) => ({
  ask,
  graphUrl: directory.access.graphUrl,
  acquireToken: (nowSeconds: number) => acquireGraphToken(broker, directory, nowSeconds),
});

const createReport =
  ({ report, logger }: DirectoryParts, directory: GraphDirectory) =>
  async (oid: string, { notBefore, because }: PersonMark): Promise<boolean> => {
    const target = { kind: 'directory-user', tid: directory.tid, oid } as const;
    const of = { tenantId: directory.tenant.id, target };
    const answered = await report({ ...of, notBefore, source: 'graph', reason: because });
    if (answered.ok && answered.value.state === 'recorded') {
      logger.warn({ ...placeOf(directory), because }, 'tokens of a person are ended');
      return true;
    }
    const fault = answered.ok ? answered.value : { fault: answered.error };
    logger.error({ ...placeOf(directory), ...fault }, 'a revocation could not be put on record');
    // So old that nothing of it can live: there is nothing to try again.
    return answered.ok && answered.value.state === 'refused' && answered.value.fault === 'ended';
  };

const createOrderKeeper = (parts: DirectoryParts, directory: GraphDirectory) => {
  const { shared, holder, logger, nowSeconds } = parts;
  const { tenant, issuer, tid } = directory;
  const order = {
    ...askerOf(parts, directory),
    openChannel: () => parts.openChannel({ tenantId: tenant.id, issuerId: issuer.id }),
    shared,
    key: directoryKey(tenant.id, issuer.id, tid),
    holder,
  };
  return async (isDoubtful: boolean): Promise<void> => {
    const kept = await keepOrder(order, { nowSeconds: nowSeconds(), isDoubtful });
    const place = placeOf(directory);
    if (!kept.ok) logger.warn({ ...place, fault: kept.error }, 'Graph could not be asked to tell of changes');
    else if (kept.value === 'made') logger.info(place, 'Graph was asked to tell of changes');
  };
};

/**
 * Begins to watch a directory.
 * @param options.people who is known of it already.
 */
export const openDirectory = (
  parts: DirectoryParts,
  directory: GraphDirectory,
  options: {
    readonly people: ActivePeople;
    readonly onOutcome: (outcome: Result<true, RoundFault>) => void;
  },
): WatchedDirectory => {
  const { logger, nowSeconds } = parts;
  const { signals } = directory;
  const channel = createGraphChannel({
    ...askerOf(parts, directory),
    people: options.people,
    report: createReport(parts, directory),
  });
  return watchDirectory({
    channel,
    people: options.people,
    pollSeconds: signals.pollSeconds,
    onOutcome: (outcome) => {
      options.onOutcome(outcome);
      if (outcome.ok) return;
      logger.warn({ ...placeOf(directory), ...outcome.error }, 'a directory could not be looked at');
    },
    ...(signals.notifications ? { keepOrder: createOrderKeeper(parts, directory) } : {}),
    nowSeconds,
  });
};

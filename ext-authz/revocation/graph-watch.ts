// Every directory that is watched through Graph, as the registry wants it now.

import type { Identity } from '#core/identity.ts';
import type { Result } from '#core/result.ts';
import type { RevocationAnswer, RevocationReport } from '#core/revocation.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { AskGraph } from '#ext-authz/graph/ask-graph.ts';
import { type ActivePeople, createActivePeople } from '#ext-authz/revocation/active-people.ts';
import { createGraphChannel } from '#ext-authz/revocation/graph-channel.ts';
import {
  directoryKey,
  type GraphDirectory,
  graphDirectories,
  settingsOf,
} from '#ext-authz/revocation/graph-directories.ts';
import { acquireGraphToken } from '#ext-authz/revocation/graph-errand.ts';
import type { PersonMark } from '#ext-authz/revocation/judge-finding.ts';
import { type WatchedDirectory, watchDirectory } from '#ext-authz/revocation/watched-directory.ts';
import type { ErrandTokens } from '#ext-authz/token/broker.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Counter, Metrics } from '#runtime/metrics.ts';

export type GraphWatch = {
  follow(snapshot: Snapshot): void;
  /** A verified caller: whoever holds a token is looked at for as long as it lives. */
  note(tenantId: string, identity: Identity): void;
  /** True where what is known of the caller's directory is older than its tenant lets it be. */
  isStale(tenantId: string, identity: Identity, nowSeconds: number): boolean;
  /** Somebody says that a person changed. */
  look(tenantId: string, issuerId: string, person: { readonly tid: string; readonly oid: string }): void;
  /** Somebody says that something was missed. */
  sweep(tenantId: string, issuerId: string): void;
  stop(): void;
};

export type GraphWatchParts = {
  readonly ask: AskGraph;
  readonly broker: ErrandTokens;
  readonly report: (report: RevocationReport) => Promise<Result<RevocationAnswer, string>>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly nowSeconds: () => number;
};

type Entry = {
  readonly settings: string;
  readonly directory: GraphDirectory;
  readonly watched: WatchedDirectory;
};

const createReport =
  ({ report, logger }: GraphWatchParts, { tenant, issuer, tid }: GraphDirectory) =>
  async (oid: string, { notBefore, because }: PersonMark): Promise<boolean> => {
    const place = { tenant: tenant.id, issuer: issuer.id };
    const target = { kind: 'directory-user', tid, oid } as const;
    const answered = await report({
      tenantId: tenant.id,
      target,
      notBefore,
      source: 'graph',
      reason: because,
    });
    if (answered.ok && answered.value.state === 'recorded') {
      logger.warn({ ...place, because }, 'tokens of a person are ended');
      return true;
    }
    const fault = answered.ok ? answered.value : { fault: answered.error };
    logger.error({ ...place, ...fault }, 'a revocation could not be put on record');
    // So old that nothing of it can live: there is nothing to try again.
    return answered.ok && answered.value.state === 'refused' && answered.value.fault === 'ended';
  };

const open = (
  parts: GraphWatchParts,
  outcomes: Counter<'outcome'>,
  { directory, people }: { readonly directory: GraphDirectory; readonly people: ActivePeople },
): WatchedDirectory => {
  const { ask, broker, logger, nowSeconds } = parts;
  const { tenant, issuer, signals, access } = directory;
  const channel = createGraphChannel({
    ask,
    people,
    graphUrl: access.graphUrl,
    acquireToken: (now) => acquireGraphToken(broker, directory, now),
    report: createReport(parts, directory),
  });
  return watchDirectory({
    channel,
    people,
    nowSeconds,
    pollSeconds: signals.pollSeconds,
    onOutcome: (outcome) => {
      outcomes.inc({ outcome: outcome.ok ? 'ok' : outcome.error.step });
      const place = { tenant: tenant.id, issuer: issuer.id };
      if (!outcome.ok) logger.warn({ ...place, ...outcome.error }, 'a directory could not be looked at');
    },
  });
};

export const createGraphWatch = (parts: GraphWatchParts): GraphWatch => {
  const outcomes = parts.metrics.counter(
    'graph_rounds_total',
    'Looks at a directory through Microsoft Graph: ok, or the step that failed.',
    ['outcome'],
  );
  let entries = new Map<string, Entry>();

  const take = (key: string, directory: GraphDirectory): Entry => {
    const known = entries.get(key);
    const settings = settingsOf(directory);
    if (known?.settings === settings) return known;
    known?.watched.stop();
    const watched = open(parts, outcomes, {
      directory,
      people: known?.watched.people ?? createActivePeople(),
    });
    return { settings, directory, watched };
  };

  const find = (tenantId: string, { issuerId, tid = '' }: Identity): Entry | undefined =>
    entries.size === 0 ? undefined : entries.get(directoryKey(tenantId, issuerId, tid));

  return {
    follow: (snapshot) => {
      const wanted = graphDirectories(snapshot);
      const taken = new Map([...wanted].map(([key, directory]) => [key, take(key, directory)]));
      for (const [key, { watched }] of entries) if (!taken.has(key)) watched.stop();
      entries = taken;
    },
    note: (tenantId, identity) => {
      const { oid, issuedAt, expiresAt } = identity;
      if (oid !== undefined) find(tenantId, identity)?.watched.people.note({ oid, issuedAt, expiresAt });
    },
    isStale: (tenantId, identity, now) => {
      const entry = find(tenantId, identity);
      const bound = entry?.directory.signals.maxStaleSeconds;
      return entry !== undefined && bound !== undefined && entry.watched.isStale(bound, now);
    },
    look: (tenantId, issuerId, { tid, oid }) =>
      entries.get(directoryKey(tenantId, issuerId, tid))?.watched.look(oid),
    sweep: (tenantId, issuerId) => {
      for (const { directory, watched } of entries.values())
        if (directory.tenant.id === tenantId && directory.issuer.id === issuerId) watched.sweep();
    },
    stop: () => {
      for (const { watched } of entries.values()) watched.stop();
    },
  };
};

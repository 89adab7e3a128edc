// Every directory that is watched through Graph, as the registry wants it now.

import type { DirectoryHint } from '#core/feed-message.ts';
import type { Identity } from '#core/identity.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { createActivePeople } from '#ext-authz/revocation/active-people.ts';
import {
  directoryKey,
  type GraphDirectory,
  graphDirectories,
  settingsOf,
} from '#ext-authz/revocation/graph-directories.ts';
import { type DirectoryParts, openDirectory } from '#ext-authz/revocation/open-directory.ts';
import type { WatchedDirectory } from '#ext-authz/revocation/watched-directory.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type GraphWatch = {
  follow(snapshot: Snapshot): void;
  /** A verified caller: whoever holds a token is looked at for as long as it lives. */
  note(tenantId: string, identity: Identity): void;
  /** True where what is known of the caller's directory is older than its tenant lets it be. */
  isStale(tenantId: string, identity: Identity, nowSeconds: number): boolean;
  /** What Graph tells of a directory. */
  hint(hint: DirectoryHint): void;
  stop(): void;
};

type Entry = {
  readonly settings: string;
  readonly directory: GraphDirectory;
  readonly watched: WatchedDirectory;
};

/** Watches nothing until it follows a snapshot. */
export const createGraphWatch = (parts: DirectoryParts & { readonly metrics: Metrics }): GraphWatch => {
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
    const watched = openDirectory(parts, directory, {
      people: known?.watched.people ?? createActivePeople(),
      onOutcome: (outcome) => outcomes.inc({ outcome: outcome.ok ? 'ok' : outcome.error.step }),
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
    hint: (hint) => entries.get(directoryKey(hint.tenantId, hint.issuerId, hint.tid))?.watched.hint(hint),
    stop: () => {
      for (const { watched } of entries.values()) watched.stop();
    },
  };
};

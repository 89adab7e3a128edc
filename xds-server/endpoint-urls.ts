// Which endpoint URLs the servers of a snapshot name, told as what changes from one snapshot to the next: servers that
// stayed the same value are not looked at.

import type { McpServer } from '#core/server.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';

export type UrlChanges = {
  /** Named by somebody now, and by nobody before. */
  readonly added: readonly string[];
  /** Named by nobody any more. */
  readonly dropped: readonly string[];
};

export type UrlLedger = {
  /** There is a newer snapshot. */
  follow(snapshot: Snapshot): UrlChanges;
};

const NOBODY: readonly McpServer[] = [];

const urlsOf = ({ versions }: McpServer): readonly string[] => versions.flatMap(({ endpoints }) => endpoints);

/** URLs of the servers of `list` that are not among `others`, as often as they are named. */
const urlsBeside = (list: readonly McpServer[], others: readonly McpServer[]): readonly string[] => {
  const known = new Set(others);
  return list.filter((server) => !known.has(server)).flatMap(urlsOf);
};

/** A ledger in which nobody names anything yet. */
export const createUrlLedger = (): UrlLedger => {
  let tenants: ReadonlyMap<string, Tenant> = new Map();
  const counts = new Map<string, number>();

  const count = (urls: readonly string[], step: 1 | -1, former: Map<string, number>): void => {
    for (const url of urls) {
      const before = counts.get(url) ?? 0;
      if (!former.has(url)) former.set(url, before);
      counts.set(url, before + step);
    }
  };

  return {
    follow: (snapshot) => {
      const former = new Map<string, number>();
      const next = new Map(snapshot.tenants.map((tenant) => [tenant.id, tenant]));
      for (const id of new Set([...tenants.keys(), ...next.keys()])) {
        const [before, after] = [tenants.get(id)?.servers ?? NOBODY, next.get(id)?.servers ?? NOBODY];
        if (before === after) continue;
        count(urlsBeside(after, before), 1, former);
        count(urlsBeside(before, after), -1, former);
      }
      tenants = next;
      const isNamed = (url: string): boolean => (counts.get(url) ?? 0) > 0;
      const added = [...former].filter(([url, before]) => before === 0 && isNamed(url));
      const dropped = [...former].filter(([url, before]) => before > 0 && !isNamed(url));
      for (const url of former.keys()) if (!isNamed(url)) counts.delete(url);
      return { added: added.map(([url]) => url), dropped: dropped.map(([url]) => url) };
    },
  };
};

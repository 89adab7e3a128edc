// What stands on the links: nothing, so that every process reaches the other directly, or something that was handed in.

import { symlinkSync } from 'node:fs';
import type { Link, LinkName, Places } from '#test/chaos/places.ts';

/** Something on a link that passes bytes on, or does not. */
export type LinkProxy = { stop(): Promise<void> };

/** Listens at `link.at` and passes on to `link.target`, which may not be there yet. */
export type OpenLink<Proxy extends LinkProxy = LinkProxy> = (link: Link) => Promise<Proxy>;

/** Opens every link. @returns what stands on each; empty where nothing does. */
export const openLinks = async <Proxy extends LinkProxy>(
  { links }: Places,
  openLink: OpenLink<Proxy> | undefined,
): Promise<ReadonlyMap<LinkName, Proxy>> => {
  const proxies = new Map<LinkName, Proxy>();
  for (const link of Object.values(links)) {
    if (openLink !== undefined) proxies.set(link.name, await openLink(link));
    // A Unix socket is found through a symbolic link too; a TCP port is the listener's own already.
    else if (link.at.kind === 'unix' && link.target.kind === 'unix')
      symlinkSync(link.target.path, link.at.path);
  }
  return proxies;
};

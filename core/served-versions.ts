// Which versions of a server can get calls. What serves is judged by this one list: approval, hosts, access, limits.

import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import { versionsIn } from '#core/traffic-split.ts';

/** Names of all versions that can get calls: those of the split, else the active one. Empty before the first activation. */
export const servedNames = ({ traffic, activeVersion }: McpServer): readonly string[] => {
  if (traffic !== undefined) return versionsIn(traffic);
  return activeVersion === '' ? [] : [activeVersion];
};

/** The versions themselves; a name without a version is left out. */
export const servedVersions = (server: McpServer): readonly ServerVersion[] =>
  servedNames(server).flatMap((name) => findVersion(server, name) ?? []);

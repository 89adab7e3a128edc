// A pinned tool by its name. A version may have a thousand, and one is looked for with every call.

import type { ServerVersion, Tool } from '#core/server.ts';

const indexes = new WeakMap<ServerVersion, ReadonlyMap<string, Tool>>();

const indexOf = (version: ServerVersion): ReadonlyMap<string, Tool> => {
  const known = indexes.get(version);
  if (known !== undefined) return known;
  const index = new Map(version.tools.map((tool) => [tool.name, tool]));
  indexes.set(version, index);
  return index;
};

export const findTool = (version: ServerVersion, name: string): Tool | undefined =>
  indexOf(version).get(name);

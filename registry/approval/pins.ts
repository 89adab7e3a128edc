// The last approved definition of every tool there has ever been on a server id, and of the server as a whole. A pin
// is replaced by an approval and by nothing else: what was removed, refused or merely published leaves it as it is.

import type { Tool } from '#core/server.ts';
import type { Surface } from '#registry/approval/definition.ts';

export type PinnedSurface = {
  /** The version that was approved. */
  readonly version: string;
  readonly surface: Surface;
  /** Names of the tools it had. */
  readonly toolNames: readonly string[];
};

export type PinnedTool = {
  /** The last version that was approved with this tool. */
  readonly version: string;
  readonly tool: Tool;
};

/** What a version of one server id is compared with. */
export type Pins = {
  /** Absent: nothing of this server id was ever approved. */
  readonly surface?: PinnedSurface;
  readonly tools: ReadonlyMap<string, PinnedTool>;
};

export const NO_PINS: Pins = { tools: new Map() };

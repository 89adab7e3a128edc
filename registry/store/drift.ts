// The registry's words for tools that are served otherwise than was approved: what is written, and what comes back.

import type { DriftingTool } from '#core/drift-book.ts';
import type { JsonChange } from '#core/json-diff.ts';
import type { DriftSighting } from '#core/tool-drift.ts';

/** What one replica was last seen to serve of a tool. */
export type ReplicaSight = {
  readonly version: string;
  readonly tool: string;
  /** `address:port`. */
  readonly replica: string;
  /** SHA-256, hex; absent: what was approved. */
  readonly digest?: string;
  /** Since when it serves this, and when it was last seen to; RFC 3339. */
  readonly firstSeen: string;
  readonly lastSeen: string;
};

/** A tool that drifts, with all that is known of its replicas, sorted by name. */
export type DriftedTool = DriftingTool & {
  readonly replicas: readonly (ReplicaSight & { readonly changes: readonly JsonChange[] })[];
};

export type ServerName = { readonly tenantId: string; readonly serverId: string };

export type DriftWrite = ServerName & {
  /** All of this server. */
  readonly sightings: readonly DriftSighting[];
  /** True: the sight is of a version, tool or replica that can get no call any more, and ends. */
  readonly isGone: (sight: ReplicaSight) => boolean;
  /** Who the audit names. */
  readonly actor: string;
  /** RFC 3339. */
  readonly at: string;
};

/** What a write has changed of which tools drift. */
export type DriftStep = {
  readonly begun: readonly DriftingTool[];
  readonly ended: readonly DriftingTool[];
  /** Of the last commit it made; absent: none, no tool began and none ended. */
  readonly sequence?: number;
};

export type DriftStore = {
  /** Takes sightings of one server. What begins and what ends is committed with its audit records. */
  takeDrift(write: DriftWrite): Promise<DriftStep>;
  /** Tools that drift, sorted by version and tool: at most `limit` behind `after` (`{version}/{tool}`). */
  listDrift(
    server: ServerName,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly DriftedTool[]>;
  /** Servers of which something drifts, of all tenants, and how many tools. */
  listDriftingServers(): Promise<readonly (ServerName & { readonly tools: number })[]>;
};

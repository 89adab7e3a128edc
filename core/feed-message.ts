// What travels on the registry's feed beside tenant changes.

import type { VersionFigures } from '#core/call-figures.ts';
import type { VersionPace } from '#core/pace.ts';

/** A command to the running system. It changes no configuration and makes no revision. */
export type TerminateStreams = {
  readonly kind: 'terminate-streams';
  readonly id: string;
  readonly tenantId: string;
  /** Absent: streams of every server of the tenant. */
  readonly serverId?: string;
  /** Absent: streams of every caller. */
  readonly principal?: string;
  /** Why, in the operator's words; for the log. */
  readonly reason: string;
  readonly actor: string;
  /** RFC 3339. */
  readonly at: string;
};

/**
 * A provider's hint to whoever watches one of its directories. It says nothing that is believed: what it is about is asked
 * of the provider.
 */
export type DirectoryHint = {
  readonly id: string;
  readonly tenantId: string;
  readonly issuerId: string;
  /** The directory, a GUID in lower case. */
  readonly tid: string;
  /** RFC 3339. */
  readonly at: string;
} & (
  | {
      /** People changed. */
      readonly kind: 'look-at-users';
      /** Object ids, GUIDs in lower case. */
      readonly oids: readonly string[];
    }
  /** The standing order to be told of changes is in danger. `sweep-now`: something was missed. */
  | { readonly kind: 'renew-subscription' | 'sweep-now' }
);

export type FeedEvent = TerminateStreams | DirectoryHint;

/** People that one hint names at most. */
export const MAX_HINTED_USERS = 500;

/** Names of resources that one preview holds at most; what a person can read is less. */
export const MAX_PREVIEW_NAMES = 500;

/** What would change for Envoys if a tenant were other than it is. */
export type EnvoyPreview =
  | {
      readonly kind: 'effect';
      /** What is served now, and compared with. */
      readonly sequence: number;
      /** Types of resource of which any would change. */
      readonly types: readonly EnvoyTypeEffect[];
      /** Names left out because there are too many. */
      readonly omitted: number;
    }
  | {
      /** The tenant could not be served like this; Envoys would go on with what they have. */
      readonly kind: 'fault';
      readonly sequence: number;
      readonly fault: string;
    };

/** Names of resources, sorted. */
export type EnvoyTypeEffect = {
  readonly typeUrl: string;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
};

/** How far a consumer has come, and what the Envoys behind it said. */
export type ConsumerStatus = {
  /** Sequence the consumer now serves. */
  readonly sequence: number;
  /** Reported by xds-server only: one entry per connected Envoy. */
  readonly nodes?: readonly EnvoyNodeStatus[];
  /** Reported by xds-server only: Envoys that were connected to it within the last hour and are no more, latest first. */
  readonly gone?: readonly GoneNode[];
  /**
   * Tenants that are served as they were, because what they are cannot be: xds-server cannot translate it, or ext-authz
   * cannot load the policy they name.
   */
  readonly untranslated?: readonly string[];
  /** Reported by xds-server only: where limits stand that move by themselves. Absent: as it was said before. */
  readonly paces?: readonly VersionPace[];
  /**
   * Reported by xds-server: what its Envoys counted since the report before, each call in one report; and by ext-proc:
   * what it judged of answers. It is said once and kept by nobody on the way: figures sent twice would be calls that
   * nobody made.
   */
  readonly figures?: { readonly versions: readonly VersionFigures[] };
};

export type EnvoyNodeStatus = {
  readonly nodeId: string;
  /** Sequence whose resources this Envoy has acknowledged in full. */
  readonly acknowledgedSequence: number;
  /** Resources Envoy refused and still does not serve in the version we want. */
  readonly rejected: readonly {
    readonly typeUrl: string;
    readonly resource: string;
    readonly tenantId?: string;
    /** Envoy's text, cut and redacted. */
    readonly message: string;
    /** The sequences among which the refused content came to be wanted; `after` is absent where nobody knows. */
    readonly arrived?: { readonly after?: number; readonly upTo: number };
  }[];
  /** Told only to a registry that says it takes them. */
  readonly about?: EnvoyNodeFacts;
};

/** Who an Envoy is. What is its own word says so; the rest xds-server saw. */
export type EnvoyNodeFacts = {
  /** Claimed, and admitted as such. */
  readonly group: 'edge' | 'sidecar';
  /** `tenant/server` or `tenant/*`, of a sidecar. */
  readonly servers?: readonly string[];
  readonly region?: string;
  /** Name of its certificate by which it was admitted; absent on a Unix socket. */
  readonly san?: string;
  /** Its own word: `1.40.0`. */
  readonly envoyVersion?: string;
  readonly protocol: 'delta' | 'sotw';
  /** RFC 3339. */
  readonly connectedSince: string;
  /** Of this connection. */
  readonly lastNack?: LastNack;
};

/** The response that an Envoy refused last; it may have taken everything since. */
export type LastNack = {
  readonly typeUrl: string;
  /** Names of what was in the response, of which one at least is at fault; the first few. */
  readonly resources: readonly string[];
  /** Names left out because there are too many. */
  readonly omitted: number;
  /** Envoy's text, cut and redacted. */
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
};

export type GoneNode = {
  readonly nodeId: string;
  /** RFC 3339. */
  readonly since: string;
  /** As it was when it left. */
  readonly acknowledgedSequence: number;
  readonly about: EnvoyNodeFacts;
};

/** How what an Envoy is to have of a resource compares with what it says it has. */
export const RESOURCE_STATES = ['in_sync', 'pending', 'rejected', 'unknown'] as const;
export type ResourceState = (typeof RESOURCE_STATES)[number];

/** Resources that one answer about an Envoy holds at most. */
export const MAX_NODE_RESOURCES = 1_000;

/** Which of an Envoy's resources are asked about. */
export type NodeConfigQuestion = {
  readonly nodeId: string;
  readonly kind?: string;
  readonly state?: ResourceState;
  /** Those that sort after this `kind/name`. */
  readonly after?: string;
  readonly limit: number;
};

/** Names, versions and words; never what is in a resource. */
export type NodeResource = {
  readonly kind: string;
  readonly name: string;
  readonly state: ResourceState;
  /** Absent: it is to have none. */
  readonly wanted?: { readonly version: string };
  /** Absent: it says it has none. `claimed`: it named this version when it connected. */
  readonly held?: { readonly version: string; readonly by: 'acknowledged' | 'claimed' };
  /** Why it refused the wanted version; redacted. */
  readonly message?: string;
  /** Whose resource was refused. */
  readonly tenant?: string;
};

export type NodeConfigType = {
  readonly kind: string;
  readonly typeUrl: string;
  readonly inSync: number;
  readonly pending: number;
  readonly rejected: number;
  readonly unknown: number;
};

export type NodeConfig =
  | {
      readonly kind: 'config';
      /** -1: there is nothing to tell it yet. */
      readonly sequence: number;
      readonly acknowledgedSequence: number;
      /** Kinds of which there is any, all resources counted. */
      readonly types: readonly NodeConfigType[];
      /** Sorted by `kind/name`. */
      readonly resources: readonly NodeResource[];
      /** The `kind/name` to go on after; absent: that was all. */
      readonly next?: string;
    }
  | {
      /** No Envoy of that id is connected. */
      readonly kind: 'absent';
    };

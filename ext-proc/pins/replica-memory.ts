// What was last told of each replica's tools, as much as there is room for.

import type { DriftSighting } from '#core/tool-drift.ts';

/** A version of a server as one replica serves it. */
export type ReplicaPlace = Pick<DriftSighting, 'tenantId' | 'serverId' | 'version' | 'replica'>;

export type Told = {
  /** Absent: it served what was approved. */
  readonly digest: string | undefined;
  readonly toldMs: number;
  /** When it was last seen to drift. */
  readonly driftedMs: number;
  /** The registry has it. */
  readonly isKept: boolean;
};

/** By the names of tools. */
export type ToldTools = Map<string, Told>;

export type ReplicaMemory = {
  /** To be changed by the caller, who puts it back. Empty for a replica of which nothing is known. */
  toolsOf(place: ReplicaPlace): ToldTools;
  put(place: ReplicaPlace, tools: ToldTools): void;
  retain(isServed: (place: ReplicaPlace) => boolean): void;
  /** Tools that served something else when they were last told of. */
  drifting(): number;
};

/** Ids and versions hold no blank. */
const keyOf = ({ tenantId, serverId, version, replica }: ReplicaPlace): string =>
  `${tenantId} ${serverId} ${version} ${replica}`;

/** @param maxTools past it whole replicas are forgotten, first the one that was put back longest ago. */
export const createReplicaMemory = (maxTools: number): ReplicaMemory => {
  const replicas = new Map<string, { readonly place: ReplicaPlace; readonly tools: ToldTools }>();
  const allTools = (): readonly Told[] => [...replicas.values()].flatMap(({ tools }) => [...tools.values()]);

  const makeRoom = (): void => {
    let count = allTools().length;
    for (const [key, { tools }] of replicas) {
      if (count <= maxTools || replicas.size === 1) return;
      replicas.delete(key);
      count -= tools.size;
    }
  };

  return {
    toolsOf: (place) => replicas.get(keyOf(place))?.tools ?? new Map<string, Told>(),
    put: (place, tools) => {
      const key = keyOf(place);
      replicas.delete(key);
      if (tools.size === 0) return;
      replicas.set(key, { place, tools });
      makeRoom();
    },
    retain: (isServed) => {
      for (const [key, { place }] of replicas) if (!isServed(place)) replicas.delete(key);
    },
    drifting: () => allTools().filter(({ digest }) => digest !== undefined).length,
  };
};

// What is news about a replica's tools. It serves the same list a thousand times; what counts is when it begins to differ,
// differs otherwise, and is itself again.

import { type DriftState, drifts, findDrift } from '#core/drift-book.ts';
import type { DriftSighting } from '#core/tool-drift.ts';
import { approvedDefinition } from '#ext-proc/pins/approved-tool.ts';
import type { ComparedTool } from '#ext-proc/pins/judge-tool.ts';
import {
  createReplicaMemory,
  type ReplicaMemory,
  type ReplicaPlace,
  type Told,
  type ToldTools,
} from '#ext-proc/pins/replica-memory.ts';
import { changesOf, digestOf } from '#ext-proc/pins/tell-changes.ts';

/**
 * A replica that changes its mind from one list to the next is told of no oftener than this, and is itself again only
 * when it has been for this long.
 */
export const SETTLE_MS = 10_000;

/** What goes on is told again: the registry takes a replica that it no longer hears of for gone (an hour). */
export const RETELL_MS = 600_000;

/** Tools of replicas that are remembered: a server with a thousand tools that drift on twenty replicas. */
const MAX_REMEMBERED = 20_000;

export type News = {
  readonly sighting: DriftSighting;
  /** Differs from what was told last; false: it goes on. */
  readonly isChange: boolean;
};

export type Sightings = Pick<ReplicaMemory, 'retain' | 'drifting'> & {
  /** What is to be told of the tools that were in one list of a replica. */
  take(place: ReplicaPlace, tools: readonly ComparedTool[], nowMs: number): readonly News[];
  /** The registry has them. */
  kept(sightings: readonly DriftSighting[]): void;
  /** They did not get there: told anew when they are next seen. */
  lost(sightings: readonly DriftSighting[]): void;
};

export type SightingsOptions = {
  /** What the registry holds to drift, told by whomever. */
  readonly known: () => DriftState;
  readonly maxRemembered?: number;
};

/** `isOpen`: the registry holds the tool at hand to drift on some replica. */
type Moment = { readonly place: ReplicaPlace; readonly nowMs: number; readonly isOpen: boolean };

/** Whether what goes on is to be told again: after long, or soon where the registry has been told otherwise since. */
const isDue = ({ toldMs, isKept }: Told, { nowMs }: Moment, isKnown: boolean): boolean =>
  nowMs - toldMs >= (isKept && !isKnown ? SETTLE_MS : RETELL_MS);

const isDriftNews = (last: Told | undefined, digest: string, moment: Moment): boolean => {
  if (last?.digest === undefined) return true;
  if (last.digest === digest) return isDue(last, moment, moment.isOpen);
  return moment.nowMs - last.toldMs >= SETTLE_MS;
};

const isCalmNews = (last: Told | undefined, moment: Moment): boolean => {
  if (last?.digest !== undefined) return moment.nowMs - last.driftedMs >= SETTLE_MS;
  return moment.isOpen && (last === undefined || isDue(last, moment, true));
};

const newsOf = (
  { place, nowMs }: Moment,
  what: Pick<DriftSighting, 'tool' | 'changes'> & { readonly digest?: string },
  last: Told | undefined,
): News => ({
  sighting: { ...place, ...what, at: new Date(nowMs).toISOString() },
  isChange: last?.digest !== what.digest,
});

const takeDrifted = (
  tools: ToldTools,
  { tool, served }: Required<ComparedTool>,
  moment: Moment,
): readonly News[] => {
  const { nowMs } = moment;
  const digest = digestOf(served);
  const last = tools.get(tool.name);
  if (last !== undefined && !isDriftNews(last, digest, moment)) {
    tools.set(tool.name, { ...last, driftedMs: nowMs });
    return [];
  }
  tools.set(tool.name, { digest, toldMs: nowMs, driftedMs: nowMs, isKept: false });
  const changes = changesOf(approvedDefinition(tool), served);
  return [newsOf(moment, { tool: tool.name, digest, changes }, last)];
};

const takeApproved = (tools: ToldTools, tool: string, moment: Moment): readonly News[] => {
  const last = tools.get(tool);
  if (!isCalmNews(last, moment)) {
    if (last?.digest === undefined && !moment.isOpen) tools.delete(tool);
    return [];
  }
  tools.set(tool, { digest: undefined, toldMs: moment.nowMs, driftedMs: 0, isKept: false });
  return [newsOf(moment, { tool, changes: [] }, last)];
};

export const createSightings = ({ known, maxRemembered = MAX_REMEMBERED }: SightingsOptions): Sightings => {
  const memory = createReplicaMemory(maxRemembered);

  /** Nothing where something else was told of the tool since. */
  const change = (sighting: DriftSighting, next: (told: Told) => Told | undefined): void => {
    const tools = memory.toolsOf(sighting);
    const told = tools.get(sighting.tool);
    if (told === undefined || told.digest !== sighting.digest) return;
    const changed = next(told);
    if (changed === undefined) tools.delete(sighting.tool);
    else tools.set(sighting.tool, changed);
  };

  return {
    take: (place, compared, nowMs) => {
      const tools = memory.toolsOf(place);
      const state = known();
      // Nearly every list is of this kind: nothing was told of it, and there is nothing to tell.
      if (tools.size === 0 && !drifts(state, place) && compared.every(({ served }) => served === undefined))
        return [];
      const news = compared.flatMap(({ tool, served }) => {
        const isOpen = findDrift(state, { ...place, tool: tool.name }) !== undefined;
        const moment = { place, nowMs, isOpen };
        return served === undefined
          ? takeApproved(tools, tool.name, moment)
          : takeDrifted(tools, { tool, served }, moment);
      });
      memory.put(place, tools);
      return news;
    },
    kept: (sightings) => {
      for (const sighting of sightings) change(sighting, (told) => ({ ...told, isKept: true }));
    },
    lost: (sightings) => {
      for (const sighting of sightings) change(sighting, () => undefined);
    },
    retain: memory.retain,
    drifting: memory.drifting,
  };
};

// What an experiment is: a fault that begins, lasts and ends, and what it may cost meanwhile. The oracle judges everything else
// alike whatever the fault.

import type { World } from '#test/chaos/world.ts';

/**
 * What a fault may cost while it lasts. `nothing`: every call that is allowed works. `calls in hand`: those that the part
 * was working on, and none that begin a moment later. `calls`: any; each is refused in words or its connection breaks.
 */
export type Cost = 'nothing' | 'calls in hand' | 'calls';

export type Experiment = {
  /** For `--only` and the report, e.g. `kill ext-authz`. */
  readonly name: string;
  /** What the product is to do meanwhile, one line. */
  readonly promise: string;
  readonly costs: Cost;
  /** Parts and links it is about: two that share one are not combined. */
  readonly touches: readonly string[];
  /** How long the fault lasts where `--seconds` says nothing. */
  readonly holdMs?: number;
  /** Longest time back to normal after `end` was called; DEFAULT_RECOVERY_MS where absent. */
  readonly recoveryMs?: number;
  /** Starts the fault and resolves once it is in force. */
  begin(world: World): Promise<void>;
  /** Takes it away and waits until the parts it was about are ready. Recovery is counted from the moment this is called. */
  end(world: World): Promise<void>;
};

/**
 * A process starts in two seconds, and in ten where a dozen others want the same cores: what a run took is in its report, and
 * this is where it counts as not coming back.
 */
export const DEFAULT_RECOVERY_MS = 30_000;

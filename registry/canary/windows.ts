// Windows of all versions that are watched, each as long as its rule says. State, and no judgement.

import { type CallFigures, NO_FIGURES, type VersionFigures } from '#core/call-figures.ts';
import type { AbortRule } from '#core/traffic-split.ts';
import { addToWindow, type FigureWindow, openWindow, sumOf } from '#registry/canary/window.ts';

/** A version of a server of a tenant. */
export type VersionName = Omit<VersionFigures, 'figures'>;

type Watched = { readonly window: FigureWindow; readonly windowSeconds: number; readonly heardMs: number };

export type Windows = {
  /** Adds figures of a version that has a rule. */
  add(seen: VersionFigures, rule: AbortRule): void;
  /** All that was seen of it in the window of its rule. */
  sum(name: VersionName): CallFigures;
  /** Begins anew: what was seen so far is not held against it. */
  forget(name: VersionName): void;
};

const keyOf = ({ tenantId, serverId, version }: VersionName): string => `${tenantId}/${serverId}/${version}`;

/** @param monotonicMs a clock that never goes back, milliseconds. */
export const createWindows = (monotonicMs: () => number): Windows => {
  const windows = new Map<string, Watched>();
  /** One that nobody speaks of any more is let go with its last slot. */
  const forgetSilent = (nowMs: number): void => {
    for (const [key, { heardMs, windowSeconds }] of windows)
      if (nowMs - heardMs > windowSeconds * 1_000) windows.delete(key);
  };
  return {
    add: (seen, { windowSeconds }) => {
      const nowMs = monotonicMs();
      forgetSilent(nowMs);
      const known = windows.get(keyOf(seen));
      const window = known?.windowSeconds === windowSeconds ? known.window : openWindow(windowSeconds);
      windows.set(keyOf(seen), {
        window: addToWindow(window, seen.figures, nowMs),
        windowSeconds,
        heardMs: nowMs,
      });
    },
    sum: (name) => {
      const known = windows.get(keyOf(name));
      return known === undefined ? NO_FIGURES : sumOf(known.window, monotonicMs());
    },
    forget: (name) => void windows.delete(keyOf(name)),
  };
};

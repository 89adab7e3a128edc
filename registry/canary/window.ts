// The figures of one version over the last while, in slots that are let go as a whole when they are too old. Sums of
// what several reporters saw; a moment is whatever clock the caller counts by.

import { addFigures, type CallFigures, NO_FIGURES } from '#core/call-figures.ts';

/** More slots follow the clock more closely and cost more; a sixtieth of the window is what a sum may be late by. */
const SLOTS = 60;

type Slot = { readonly number: number; readonly figures: CallFigures };

export type FigureWindow = {
  /** How long a slot is, milliseconds. */
  readonly slotMs: number;
  /** By number, ascending. */
  readonly slots: readonly Slot[];
};

export const openWindow = (windowSeconds: number): FigureWindow => ({
  slotMs: (windowSeconds * 1_000) / SLOTS,
  slots: [],
});

const slotAt = ({ slotMs }: FigureWindow, nowMs: number): number => Math.floor(nowMs / slotMs);

const current = (window: FigureWindow, nowMs: number): readonly Slot[] => {
  const oldest = slotAt(window, nowMs) - SLOTS;
  return window.slots.filter(({ number }) => number > oldest);
};

/** The window with figures of this moment, without what is too old. @param nowMs of a clock that never goes back. */
export const addToWindow = (window: FigureWindow, figures: CallFigures, nowMs: number): FigureWindow => {
  const number = slotAt(window, nowMs);
  const slots = current(window, nowMs);
  const last = slots.at(-1);
  const added =
    last?.number === number
      ? [...slots.slice(0, -1), { number, figures: addFigures(last.figures, figures) }]
      : [...slots, { number, figures }];
  return { ...window, slots: added };
};

/** All figures in the window. */
export const sumOf = (window: FigureWindow, nowMs: number): CallFigures =>
  current(window, nowMs).reduce((sum, { figures }) => addFigures(sum, figures), NO_FIGURES);

// From the rounds of a group to one line of the table. Pure.

import type { BenchRow, Round, Target } from '#test/bench/core/row.ts';
import { type Spread, spreadOf } from '#test/bench/core/spread.ts';

export type RowResult = {
  readonly id: string;
  readonly title: string;
  readonly figure: Spread;
  /** Empty: a ratio. */
  readonly figureUnit: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly peer?: Spread;
  readonly target?: Target;
  /** Absent: there is no target. */
  readonly isMet?: boolean;
};

/** Whether a median meets a target. */
export const meets = (median: number, target: Target): boolean =>
  'atLeast' in target ? median >= target.atLeast : median <= target.atMost;

const figureIn = ({ figure, ours, peer }: BenchRow, round: Round): number => {
  if (figure !== undefined) return figure(round);
  return peer === undefined ? ours(round) : ours(round) / peer(round);
};

/** @throws if a round lacks what the row reads. */
export const judgeRow = (row: BenchRow, rounds: readonly Round[]): RowResult => {
  const { id, title, unit, peer, target } = row;
  const figure = spreadOf(rounds.map((round) => figureIn(row, round)));
  const isRatio = row.figure !== undefined || peer !== undefined;
  return {
    id,
    title,
    figure,
    figureUnit: row.figureUnit ?? (isRatio ? '' : unit),
    unit,
    ours: spreadOf(rounds.map(row.ours)),
    ...(peer === undefined ? {} : { peer: spreadOf(rounds.map(peer)) }),
    ...(target === undefined ? {} : { target, isMet: meets(figure.median, target) }),
  };
};

// Runs groups one after the other and gathers their rows.

import { judgeRow, type RowResult } from '#test/bench/core/judge.ts';
import { runRounds } from '#test/bench/core/rounds.ts';
import type { BenchGroup } from '#test/bench/core/row.ts';

export type RunSettings = {
  readonly rounds: number;
  readonly seconds: number;
  readonly isShort: boolean;
  /** Hears the rows of each group as soon as they are known: a later group may fail. */
  readonly onRows: (rows: readonly RowResult[]) => void;
  /** Hears what is being done, one line at a time. */
  readonly say: (line: string) => void;
};

const runGroup = async (group: BenchGroup, settings: RunSettings): Promise<readonly RowResult[]> => {
  const { rounds, seconds, isShort, say } = settings;
  const contenders = [...new Set(group.rows.flatMap(({ needs }) => needs))];
  say(`${group.id}: starting ${contenders.join(', ')}`);
  const open = await group.open({ seconds, isShort, contenders: new Set(contenders) });
  try {
    const onTurn = (round: number, contender: string): void => {
      if (contender === contenders[0])
        say(`${group.id}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`);
    };
    const measured = await runRounds(open, { contenders, rounds, onTurn });
    return group.rows.map((row) => judgeRow(row, measured));
  } finally {
    await open.close();
  }
};

/** @throws what a group throws; what was started is ended by then, and later groups are not begun. */
export const runGroups = async (groups: readonly BenchGroup[], settings: RunSettings): Promise<void> => {
  for (const group of groups) settings.onRows(await runGroup(group, settings));
};

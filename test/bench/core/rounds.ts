// Contenders in turn, round by round, each round beginning with another one: whatever the machine does meanwhile, and
// whatever a contender leaves behind for the next, meets all of them alike.

import type { Measured, OpenGroup, Round } from '#test/bench/core/row.ts';

/** The order of a round: the same circle, entered elsewhere, and every other time walked backwards. */
export const orderOf = (contenders: readonly string[], round: number): readonly string[] => {
  if (contenders.length === 0) return [];
  const start = round % contenders.length;
  const circle = [...contenders.slice(start), ...contenders.slice(0, start)];
  return round % 2 === 0 ? circle : circle.toReversed();
};

/** One round to warm up, which is not told, and then as many as are asked for. */
export const runRounds = async (
  group: Pick<OpenGroup, 'measure'>,
  {
    contenders,
    rounds,
    onTurn = () => {},
  }: {
    readonly contenders: readonly string[];
    readonly rounds: number;
    readonly onTurn?: (round: number, contender: string) => void;
  },
): Promise<readonly Round[]> => {
  const told: Round[] = [];
  for (let number = 0; number <= rounds; number += 1) {
    const round: Record<string, Measured> = {};
    for (const contender of orderOf(contenders, number)) {
      onTurn(number, contender);
      round[contender] = await group.measure(contender, number);
    }
    if (number > 0) told.push(round);
  }
  return told;
};

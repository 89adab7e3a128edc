import { describe, expect, it } from 'vitest';
import { judgeRow, meets, type RowResult } from '#test/bench/core/judge.ts';
import { chosenGroups, parseOptions } from '#test/bench/core/options.ts';
import { orderOf } from '#test/bench/core/rounds.ts';
import { type BenchGroup, type BenchRow, read } from '#test/bench/core/row.ts';
import { runGroups } from '#test/bench/core/run-groups.ts';
import { spreadOf } from '#test/bench/core/spread.ts';
import { markdownTable, textTable, verdict } from '#test/bench/core/table.ts';

const row = (changes: Partial<BenchRow> = {}): BenchRow => ({
  id: 'speed',
  title: 'speed ÷ peer',
  needs: ['ours', 'peer'],
  unit: '/s',
  ours: read('ours', 'perSecond'),
  peer: read('peer', 'perSecond'),
  target: { atLeast: 2 },
  ...changes,
});

/** A group whose contenders give what is listed, turn by turn, and that notes what happened to it. */
const groupOf = (rows: readonly BenchRow[], given: Record<string, number[]>, log: string[]): BenchGroup => ({
  id: 'group',
  rows,
  open: async ({ contenders }) => {
    log.push(`open ${[...contenders].join()}`);
    return {
      measure: async (contender, round) => {
        log.push(`${round} ${contender}`);
        const perSecond = given[contender]?.[round];
        if (perSecond === undefined) throw new Error('answered wrongly');
        return { perSecond };
      },
      close: async () => void log.push('close'),
    };
  },
});
const quiet = { rounds: 2, seconds: 1, isShort: false, say: () => {}, onRows: () => {} };

const rowsOf = async (groups: readonly BenchGroup[]): Promise<readonly RowResult[]> => {
  const rows: RowResult[] = [];
  await runGroups(groups, { ...quiet, onRows: (more) => void rows.push(...more) });
  return rows;
};

describe('a run', () => {
  it('compares within each round, leaves the warm-up out, and tells least, middle and greatest', async () => {
    const log: string[] = [];
    const group = groupOf([row()], { ours: [1, 40, 90], peer: [900, 10, 30] }, log);
    const [result] = await rowsOf([group]);
    expect(result).toMatchObject({
      figure: { min: 3, median: 3.5, max: 4 },
      ours: { median: 65 },
      isMet: true,
    });
    expect(log).toEqual([
      'open ours,peer',
      '0 ours',
      '0 peer',
      '1 ours',
      '1 peer',
      '2 ours',
      '2 peer',
      'close',
    ]);
  });

  it('ends what it started when an answer was wrong', async () => {
    const log: string[] = [];
    await expect(runGroups([groupOf([row()], { ours: [1], peer: [1] }, log)], quiet)).rejects.toThrow(
      'wrongly',
    );
    expect(log.at(-1)).toBe('close');
  });

  it('keeps the rows of the groups before one that fails', async () => {
    const rows: RowResult[] = [];
    const good = groupOf([row()], { ours: [1, 4, 4], peer: [1, 2, 2] }, []);
    const bad = groupOf([row()], { ours: [1] }, []);
    const run = runGroups([good, bad], { ...quiet, onRows: (more) => void rows.push(...more) });
    await expect(run).rejects.toThrow('wrongly');
    expect(rows.map(({ figure }) => figure.median)).toEqual([2]);
  });

  it('starts only those whom the chosen rows read', async () => {
    const log: string[] = [];
    const alone = row({ id: 'alone', needs: ['ours'] });
    const { peer: _peer, ...floor } = alone;
    await runGroups(chosenGroups([groupOf([row(), floor], { ours: [1, 1, 1] }, log)], ['alone']), quiet);
    expect(log[0]).toBe('open ours');
  });
});

describe('the order of rounds', () => {
  it('lets everybody be first and last, and holds everybody once', () => {
    const contenders = ['a', 'b', 'c'];
    const orders = Array.from({ length: 6 }, (_, round) => orderOf(contenders, round));
    expect(new Set(orders.map(([first]) => first)).size).toBe(3);
    expect(new Set(orders.map((order) => order.at(-1))).size).toBe(3);
    for (const order of orders) expect(order.toSorted()).toEqual(contenders);
  });
});

describe('a row', () => {
  it('is judged by its median, on the right side of the target', () => {
    expect([meets(2, { atLeast: 2 }), meets(1.99, { atLeast: 2 })]).toEqual([true, false]);
    expect([meets(2, { atMost: 2 }), meets(2.01, { atMost: 2 })]).toEqual([true, false]);
  });

  it('may have a figure of its own, such as the ratio of two differences', () => {
    const rounds = [{ ours: { p50: 3 }, peer: { p50: 5 }, floor: { p50: 2 } }];
    const added = row({
      ours: read('ours', 'p50'),
      peer: read('peer', 'p50'),
      figure: (round) =>
        (read('ours', 'p50')(round) - read('floor', 'p50')(round)) /
        (read('peer', 'p50')(round) - read('floor', 'p50')(round)),
    });
    expect(judgeRow(added, rounds).figure.median).toBeCloseTo(1 / 3);
  });

  it('is not made of what was not measured', () => {
    expect(() => judgeRow(row(), [{ ours: { perSecond: 1 } }])).toThrow('of peer');
    expect(() => judgeRow(row(), [])).toThrow('nothing was measured');
  });
});

describe('the middle', () => {
  it.each([
    [[3], 3],
    [[4, 1], 2.5],
    [[9, 1, 2], 2],
  ])('of %j is %d', (values, median) => {
    expect(spreadOf(values).median).toBe(median);
  });
});

describe('the table', () => {
  const results = [
    judgeRow(row(), [{ ours: { perSecond: 4_567 }, peer: { perSecond: 1_000 } }]),
    judgeRow(row({ title: 'slow', target: { atLeast: 9 } }), [
      { ours: { perSecond: 1 }, peer: { perSecond: 20 } },
    ]),
  ];

  it('says what was reached, what was wanted, and the absolute figures', () => {
    const [, first = '', second = ''] = textTable(results).split('\n');
    expect(first.split(/ {2,}/)).toEqual([
      'speed ÷ peer',
      '4.57 / 4.57 / 4.57',
      '≥ 2',
      'yes',
      '4,567 /s',
      '1,000 /s',
    ]);
    expect(second.split(/ {2,}/)).toContain('NO');
    expect(verdict(results)).toBe('1 of 2 targets met; not met: slow');
  });

  it('is the same in Markdown', () => {
    expect(markdownTable(results).split('\n')[2]).toBe(
      '| speed ÷ peer | 4.57 / 4.57 / 4.57 | ≥ 2 | yes | 4,567 /s | 1,000 /s |',
    );
  });
});

describe('the options', () => {
  const groups = [groupOf([row(), row({ id: 'other' })], {}, [])];

  it('choose rows by their ids or their group', () => {
    const idsOf = (...only: string[]) =>
      chosenGroups(groups, only).flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(idsOf()).toEqual(['speed', 'other']);
    expect(idsOf('other')).toEqual(['other']);
    expect(idsOf('group')).toEqual(['speed', 'other']);
  });

  it('are read, with fewer and shorter rounds in a short run', () => {
    const read = parseOptions(['--only', 'speed,other', '--seconds', '0.5', '--json', 'x.json'], groups);
    expect(read).toMatchObject({ ok: true, value: { rounds: 5, seconds: 0.5, only: ['speed', 'other'] } });
    expect(parseOptions(['--short'], groups)).toMatchObject({ value: { rounds: 2, isShort: true } });
  });

  it.each([
    [['--rounds', '0']],
    [['--rounds', '1.5']],
    [['--seconds', 'x']],
    [['--only', 'nobody']],
    [['--what']],
  ])('are refused as a whole: %j', (argv) => {
    expect(parseOptions(argv, groups).ok).toBe(false);
  });
});

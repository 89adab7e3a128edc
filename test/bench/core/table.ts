// The table that is printed, as text for a terminal or as Markdown for a page. Pure.

import type { RowResult } from '#test/bench/core/judge.ts';
import type { Target } from '#test/bench/core/row.ts';
import type { Spread } from '#test/bench/core/spread.ts';

const HEADINGS = ['what', 'min / median / max', 'target', 'met', 'ours', 'peer'] as const;

/** Three significant digits at least: ratios of 0.08 and rates of 25,000 stand in one table. */
const numberText = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-GB');
  if (size >= 10) return value.toFixed(1);
  return size >= 1 || size === 0 ? value.toFixed(2) : value.toFixed(3);
};

const spreadText = ({ min, median, max }: Spread): string => [min, median, max].map(numberText).join(' / ');

const targetText = (target: Target): string =>
  'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;

const withUnit = (text: string, unit: string): string => (unit === '' ? text : `${text} ${unit}`);

const metText = (isMet: boolean | undefined): string => (isMet === undefined ? '' : isMet ? 'yes' : 'NO');

const cellsOf = ({
  title,
  figure,
  figureUnit,
  target,
  isMet,
  ours,
  peer,
  unit,
}: RowResult): readonly string[] => [
  title,
  withUnit(spreadText(figure), figureUnit),
  target === undefined ? '' : withUnit(targetText(target), figureUnit),
  metText(isMet),
  withUnit(numberText(ours.median), unit),
  peer === undefined ? '' : withUnit(numberText(peer.median), unit),
];

/** Lines of columns that are as wide as their widest cell. */
export const textTable = (results: readonly RowResult[]): string => {
  const lines = [HEADINGS, ...results.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** The same as a table of Markdown. */
export const markdownTable = (results: readonly RowResult[]): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(HEADINGS),
    line(HEADINGS.map(() => '---')),
    ...results.map((result) => line(cellsOf(result))),
  ].join('\n');
};

/** How many targets were met, in one sentence. */
export const verdict = (results: readonly RowResult[]): string => {
  const judged = results.filter(({ isMet }) => isMet !== undefined);
  const missed = judged.filter(({ isMet }) => isMet === false).map(({ title }) => title);
  const met = `${judged.length - missed.length} of ${judged.length} targets met`;
  return missed.length === 0 ? met : `${met}; not met: ${missed.join('; ')}`;
};

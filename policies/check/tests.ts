// The policy's own tests and how much of it they reach.

import type { PolicyFault } from '#policies/build/fault.ts';
import { CAPABILITIES, ownFolders, type PolicyFolders, testedPaths } from '#policies/build/folders.ts';
import type { Opa } from '#policies/build/opa.ts';

type TestResult = {
  readonly location: { readonly file: string; readonly row: number };
  readonly package: string;
  readonly name: string;
  readonly fail?: boolean;
  readonly skip?: boolean;
  readonly error?: { readonly message?: string };
};

type Range = { readonly start: { readonly row: number }; readonly end: { readonly row: number } };
type FileCoverage = { readonly covered?: readonly Range[]; readonly not_covered?: readonly Range[] };

const faultFrom = ({ location, name, error, skip }: TestResult): PolicyFault => {
  const { file, row: line } = location;
  if (skip === true) return { file, line, message: `${name} is not run`, remedy: 'Write it, or take it out' };
  const message =
    error === undefined ? `${name} fails` : `${name} ends with an error: ${error.message ?? ''}`;
  return { file, line, message, remedy: 'Correct the rule or the test' };
};

export type TestReport = { readonly count: number; readonly faults: readonly PolicyFault[] };

/** Runs the author's tests. */
export const runTests = async (opa: Opa, folders: PolicyFolders): Promise<TestReport> => {
  const limits = ['--format', 'json', '--capabilities', CAPABILITIES];
  const args = ['test', ...limits, ...(await testedPaths(folders))];
  const results = JSON.parse(await opa(args, { complaints: true })) as readonly TestResult[];
  const bad = results.filter(
    ({ fail, error, skip }) => fail === true || skip === true || error !== undefined,
  );
  return { count: results.length, faults: bad.map(faultFrom) };
};

const linesOf = (ranges: readonly Range[] = []): ReadonlySet<number> =>
  new Set(
    ranges.flatMap(({ start, end }) =>
      Array.from({ length: end.row - start.row + 1 }, (_line, index) => start.row + index),
    ),
  );

const isOwn = (file: string, folders: PolicyFolders): boolean =>
  !file.endsWith('_test.rego') && ownFolders(folders).some((folder) => file.startsWith(`${folder}/`));

export type CoverageReport = {
  /** Lines of the author's rules that a test reaches, of all lines that do something; 0 to 100. */
  readonly percent: number;
  /** A fault for each line that none reaches. */
  readonly missed: readonly PolicyFault[];
};

/** Only for tests that pass. */
export const measureCoverage = async (opa: Opa, folders: PolicyFolders): Promise<CoverageReport> => {
  const limits = ['--coverage', '--format', 'json', '--capabilities', CAPABILITIES];
  const args = ['test', ...limits, ...(await testedPaths(folders))];
  const report = JSON.parse(await opa(args)) as { readonly files: Readonly<Record<string, FileCoverage>> };
  const files = Object.entries(report.files)
    .filter(([file]) => isOwn(file, folders))
    .map(([file, ranges]) => {
      const missed = linesOf(ranges.not_covered);
      return { file, missed, all: new Set([...missed, ...linesOf(ranges.covered)]) };
    });
  const all = files.reduce((sum, file) => sum + file.all.size, 0);
  const missed = files.flatMap(({ file, missed: lines }) =>
    [...lines].map((line) => ({
      file,
      line,
      message: 'no test reaches this line',
      remedy: 'Write a test whose input makes it true',
    })),
  );
  return { percent: all === 0 ? 100 : (100 * (all - missed.length)) / all, missed };
};

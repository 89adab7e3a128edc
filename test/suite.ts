// `npm test` and `npm run check`: lint, types, tests, and one closing line that says how it went. Every step runs even
// if one before it failed; each failed step counts as a failure of its own. Tests use real processes, sockets and clocks, and
// a busy machine fails one in ten thousand: a file that failed runs once more, by itself, and what passes only then is named.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  closingLine,
  countFailures,
  filesToRunAgain,
  type Outcome,
  type TestRun,
  withSecondRun,
} from '#test/support/suite-counts.ts';

const PROJECTS_OF_CHECK = ['--project', 'unit'];

/** Runs a tool of node_modules in the foreground; true if it ended well. */
const runTool = (title: string, file: string, args: readonly string[], env: NodeJS.ProcessEnv): boolean => {
  console.log(`\n${title}`);
  const tool = join('node_modules', file);
  const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', tool, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env,
  });
  return status === 0;
};

const runVitest = (title: string, args: readonly string[]): TestRun => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-suite-'));
  const countsFile = join(directory, 'counts.json');
  const reporter = join('test', 'support', 'closing-line-reporter.ts');
  const succeeded = runTool(
    title,
    'vitest/vitest.mjs',
    ['run', '--reporter=default', `--reporter=./${reporter}`, ...args],
    { ...process.env, MCPGW_COUNTS_FILE: countsFile },
  );
  const run: TestRun = existsSync(countsFile)
    ? JSON.parse(readFileSync(countsFile, 'utf8'))
    : { files: [], errors: 0 };
  rmSync(directory, { recursive: true });
  // Vitest can fail without a failed test: a broken configuration, a coverage threshold, no test found at all.
  return succeeded || countFailures(run) > 0 ? run : { ...run, errors: 1 };
};

const runTests = (projects: readonly string[]): Outcome => {
  const first = runVitest('Tests', projects);
  const again = filesToRunAgain(first);
  if (again.length === 0) return { run: first, late: [] };
  return withSecondRun(first, runVitest('Files that failed, once more', [...projects, ...again]));
};

const isCheck = process.argv.includes('--check');
const steps = [
  runTool(
    'Lint and format (biome)',
    '@biomejs/biome/bin/biome',
    ['check', '--error-on-warnings'],
    process.env,
  ),
  runTool('Types (tsc)', 'typescript/bin/tsc', ['-p', '.'], process.env),
];
const { run, late } = runTests(isCheck ? PROJECTS_OF_CHECK : []);
const errors = run.errors + steps.filter((succeeded) => !succeeded).length;
const whole: TestRun = { ...run, errors };
process.exitCode = countFailures(whole) === 0 ? 0 : 1;
if (late.length > 0) console.log(`\nPassed only in a second run; find out why:\n  ${late.join('\n  ')}`);
console.log(`\n${closingLine(whole)}`);

// `npm test` and `npm run check`: lint, types, tests, and one closing line that says how it went. Every step runs even
// if one before it failed; each failed step counts as a failure of its own.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Counts, NOTHING_RAN } from '#test/support/closing-line-reporter.ts';

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

const runTests = (projects: readonly string[]): Counts => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-suite-'));
  const countsFile = join(directory, 'counts.json');
  const reporter = join('test', 'support', 'closing-line-reporter.ts');
  const succeeded = runTool(
    'Tests',
    'vitest/vitest.mjs',
    ['run', '--reporter=default', `--reporter=./${reporter}`, ...projects],
    { ...process.env, MCPGW_COUNTS_FILE: countsFile },
  );
  const counts: Counts = existsSync(countsFile) ? JSON.parse(readFileSync(countsFile, 'utf8')) : NOTHING_RAN;
  rmSync(directory, { recursive: true });
  // Vitest can fail without a failed test: a broken configuration, a coverage threshold, no test found at all.
  return succeeded || counts.failed > 0 ? counts : { ...counts, failed: 1 };
};

const closingLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

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
const tests = runTests(isCheck ? PROJECTS_OF_CHECK : []);
const counts = { ...tests, failed: tests.failed + steps.filter((succeeded) => !succeeded).length };
process.exitCode = counts.failed === 0 ? 0 : 1;
if (counts.flaky.length > 0)
  console.log(`\nPassed only when tried again; find out why:\n  ${counts.flaky.join('\n  ')}`);
console.log(`\n${closingLine(counts)}`);

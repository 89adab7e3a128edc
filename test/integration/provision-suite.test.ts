// The counting behind the closing line of `npm test`, on a small suite of its own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { countFailures, type TestRun } from '#test/support/suite-counts.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-suite-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const count = (files: Readonly<Record<string, string>>): { status: number | null; counts: TestRun } => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const countsFile = join(directory, 'counts.json');
  const reporter = join(ROOT, 'test', 'support', 'closing-line-reporter.ts');
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--root', directory, '--globals', `--reporter=${reporter}`],
    { cwd: directory, env: { ...process.env, MCPGW_COUNTS_FILE: countsFile } },
  );
  return { status, counts: JSON.parse(readFileSync(countsFile, 'utf8')) };
};

const GOOD = "it('a', () => {}); describe('group', () => { it('b', () => {}); });";

const GOOD_COUNTS = { file: 'good.test.js', passed: 2, skipped: 0, failedTests: [] };

it('counts what passed', () => {
  const counts = { files: [GOOD_COUNTS], errors: 0 };
  expect(count({ 'good.test.js': GOOD })).toEqual({ status: 0, counts });
});

it('counts failed and skipped tests, and names those that failed', () => {
  const { status, counts } = count({
    'good.test.js': GOOD,
    'bad.test.js':
      "describe('group', () => { it('a', () => { throw new Error('no'); }); it.skip('b', () => {}); it.todo('c'); });",
  });
  const bad = { file: 'bad.test.js', passed: 0, skipped: 2, failedTests: ['group > a'] };
  expect(counts).toEqual({ files: expect.arrayContaining([GOOD_COUNTS, bad]), errors: 0 });
  expect(status).toBe(1);
});

it.each([
  ['a file that cannot be loaded', "throw new Error('broken');"],
  ['a file that cannot be parsed', 'it('],
  ['a hook that fails', "beforeAll(() => { throw new Error('no'); }); it('a', () => {});"],
  ['an error nobody caught', "it('a', () => {}); it('b', () => {}); Promise.reject(new Error('lost'));"],
])('counts %s as a failure', (_title, text) => {
  const { status, counts } = count({ 'good.test.js': GOOD, 'bad.test.js': text });
  expect(countFailures(counts)).toBe(1);
  expect(status).toBe(1);
});

// The counting behind the closing line of `npm test`, on a small suite of its own.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-suite-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const count = (files: Readonly<Record<string, string>>): { status: number | null; counts: unknown } => {
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

it('counts what passed', () => {
  expect(count({ 'good.test.js': GOOD })).toEqual({
    status: 0,
    counts: { passed: 2, failed: 0, skipped: 0, flaky: [] },
  });
});

it('counts failed and skipped tests', () => {
  const { status, counts } = count({
    'good.test.js': GOOD,
    'bad.test.js': "it('a', () => { throw new Error('no'); }); it.skip('b', () => {}); it.todo('c');",
  });
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2, flaky: [] });
  expect(status).toBe(1);
});

it('counts what passed when tried again, and names it', () => {
  const text =
    "let n = 0; describe('group', () => { it('a', { retry: 1 }, () => expect((n += 1)).toBe(2)); });";
  expect(count({ 'good.test.js': GOOD, 'late.test.js': text })).toEqual({
    status: 0,
    counts: { passed: 3, failed: 0, skipped: 0, flaky: ['late.test.js: group > a'] },
  });
});

it.each([
  ['a file that cannot be loaded', "throw new Error('broken');"],
  ['a file that cannot be parsed', 'it('],
  ['a hook that fails', "beforeAll(() => { throw new Error('no'); }); it('a', () => {});"],
  ['an error nobody caught', "it('a', () => {}); it('b', () => {}); Promise.reject(new Error('lost'));"],
])('counts %s as a failure', (_title, text) => {
  const { status, counts } = count({ 'good.test.js': GOOD, 'bad.test.js': text });
  expect(counts).toMatchObject({ failed: 1 });
  expect(status).toBe(1);
});

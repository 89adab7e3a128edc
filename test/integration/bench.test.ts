// The short bench, as `npm run bench -- --short` runs it: decision processes, Envoy, peers and load generator are the real
// ones. It proves that the harness works from end to end; floors are far below what is reached, so that a busy machine
// fails none of them.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RowResult } from '#test/bench/core/judge.ts';
import { ROOT } from '#test/support/product-process.ts';

const ROWS = ['checks-cpu-opa', 'calls-noop', 'evaluation-opa'];
const LIMIT_MS = 240_000;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpgw-short-bench-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const bench = (...args: string[]) =>
  promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'test/bench/run.ts', ...args],
    { cwd: ROOT, timeout: LIMIT_MS },
  );

describe('the short bench', () => {
  it('measures the product beside its peers, and writes what it prints', { timeout: LIMIT_MS }, async () => {
    const json = join(directory, 'report.json');
    const { stdout } = await bench('--short', '--rounds', '1', '--only', ROWS.join(), '--json', json);
    const { rows } = JSON.parse(await readFile(json, 'utf8')) as { readonly rows: readonly RowResult[] };
    expect(rows.map(({ id }) => id)).toEqual(ROWS);
    for (const { title, figure } of rows) {
      expect(stdout).toContain(title);
      expect(figure.min).toBeGreaterThan(0);
    }
    const medianOf = (id: string) => rows.find((row) => row.id === id)?.figure.median;
    expect(medianOf('checks-cpu-opa')).toBeLessThan(5);
    expect(medianOf('evaluation-opa')).toBeLessThan(1);
  });

  it('refuses rows that nobody knows, and says which there are', async () => {
    const failed = await bench('--only', 'checks-nobody').catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no row checks-nobody; .*checks-opa/),
    });
  });
});

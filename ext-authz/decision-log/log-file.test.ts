// The file of the decision log: bounded, private, and nobody waits for it.

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogFile } from '#ext-authz/decision-log/log-file.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';

let directory: string;
let metrics = createMetrics('test');
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const logger = createLogger('test', 'fatal', { write: () => {} });
const path = () => join(directory, 'logs', 'decisions.jsonl');
/** As each start of the process does. */
const open = (maxBytes = 16 * 1024 * 1024) => {
  metrics = createMetrics('test');
  return openLogFile(path(), { maxBytes, logger, metrics });
};
const linesOf = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');
const dropped = async () =>
  Number(/^mcpgw_policy_decision_log_dropped_total\S* (\d+)$/m.exec((await metrics.render()).body)?.[1] ?? 0);

describe('the file of the decision log', () => {
  it('holds every line in order, for its owner alone, and goes on after a restart', async () => {
    const first = await open();
    for (let line = 0; line < 100; line += 1) first.append(`line ${line}`);
    await first.stop();
    const second = await open();
    second.append('after');
    await second.stop();
    expect(linesOf(path())).toEqual([...Array.from({ length: 100 }, (_, line) => `line ${line}`), 'after']);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it('takes no more than twice what it may', async () => {
    const file = await open(1_000);
    for (let round = 0; round < 20; round += 1) {
      for (let line = 0; line < 5; line += 1) file.append('x'.repeat(99));
      await file.stop();
    }
    expect(statSync(path()).size).toBeLessThanOrEqual(1_000);
    expect(statSync(`${path()}.1`).size).toBeLessThanOrEqual(1_000);
    expect(await dropped()).toBe(0);
  });

  it('drops and counts what the disk does not take in time', async () => {
    const file = await open();
    const line = 'x'.repeat(1024 * 1024 - 1);
    for (let count = 0; count < 6; count += 1) file.append(line);
    await file.stop();
    expect(linesOf(path()).length + (await dropped())).toBe(6);
    expect(await dropped()).toBeGreaterThan(0);
  });

  it('drops and counts what the disk refuses, and goes on when it no longer does', async () => {
    const file = await open();
    rmSync(join(directory, 'logs'), { recursive: true });
    file.append('lost');
    await file.stop();
    expect(await dropped()).toBe(1);
    const again = await open();
    again.append('kept');
    await again.stop();
    expect(linesOf(path())).toEqual(['kept']);
  });
});

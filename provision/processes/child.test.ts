// Unit tests of child.ts: how a service is started.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '#provision/processes/child.ts';
import { inheritedEnvironment } from '#runtime/config.ts';
import { ROOT } from '#test/support/product-process.ts';

it('starts a service with a bound on what its new objects may take', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-'));
  const script = join(directory, 'service.mjs');
  const logFile = join(directory, 'service.log');
  writeFileSync(script, 'console.log(process.execArgv.join(" "));process.exit(0);');
  const settings = {
    root: ROOT,
    script: relative(ROOT, script),
    environment: inheritedEnvironment(),
    logFile,
  };
  expect(await startChild(settings).ended).toBe('code 0');
  expect(readFileSync(logFile, 'utf8')).toMatch(/--max-semi-space-size=\d+/);
  rmSync(directory, { recursive: true });
});

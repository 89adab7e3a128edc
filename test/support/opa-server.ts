// A real OPA that answers questions over its Data API, by the product's own rules and one file beside them.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, vi } from 'vitest';
import { findFreePorts } from '#test/support/free-ports.ts';

export type OpaServer = {
  readonly origin: string;
  /** Of the package that answers, as a tenant's policy names it. */
  readonly url: string;
  stop(): void;
};

/** @param rules text of a Rego file; any builtin that OPA knows may stand in it. */
export const startOpaServer = async (rules: string): Promise<OpaServer> => {
  const binary = process.env['OPA_BIN'];
  if (!binary) throw new Error('OPA_BIN must name the opa 1.22.2 binary');
  const directory = mkdtempSync(join(tmpdir(), 'opa-server-'));
  cpSync(resolve(import.meta.dirname, '../../policies/mcp'), join(directory, 'mcp'), { recursive: true });
  writeFileSync(join(directory, 'theirs.rego'), rules);
  const [port] = await findFreePorts(1);
  const origin = `http://127.0.0.1:${port}`;
  const serving = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--disable-telemetry'];
  const opa = spawn(binary, [...serving, '--ignore', '*_test.rego', directory], { stdio: 'ignore' });
  const stop = (): void => {
    opa.kill();
    rmSync(directory, { recursive: true, force: true });
  };
  const isUp = async () => expect((await fetch(`${origin}/health`)).status).toBe(200);
  await vi.waitFor(isUp, { timeout: 30_000, interval: 50 }).catch((thrown: unknown) => {
    stop();
    throw thrown;
  });
  return { origin, url: `${origin}/v1/data/mcp/authz`, stop };
};

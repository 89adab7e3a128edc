// One registry as a process of its own, with a directory of its own, over SQLite there or over a given Postgres.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect, vi } from 'vitest';
import type { Secret } from '#core/secret.ts';
import type { Address } from '#runtime/address.ts';
import { ADMIN_AUDIENCE, ADMIN_ISSUER } from '#test/integration/registry-harness.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

export type RegistryProcess = {
  readonly url: string;
  readonly feed: Address;
  readonly pid: number;
  output(): string;
  kill(): Promise<void>;
};

/** Starts it and waits until it is ready. */
export const startRegistryProcess = async (options: {
  readonly directory: string;
  readonly jwksUri: string;
  readonly postgresUrl?: Secret;
  /** Where the audit's keys lie that replicas share; the state directory otherwise. */
  readonly keysOf?: string;
}): Promise<RegistryProcess> => {
  const [port = 0] = await findFreePorts(1);
  const state = join(options.directory, 'state');
  const runtimeDirectory = join(options.directory, 'run');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'registry/main.ts'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      MCPGW_STATE_DIR: state,
      MCPGW_RUNTIME_DIR: runtimeDirectory,
      AUDIT_KEY_FILE: join(options.keysOf ?? state, 'audit-keys', 'audit.key'),
      AUDIT_SIGNING_KEY_FILE: join(options.keysOf ?? state, 'audit-keys', 'signing.key'),
      REGISTRY_PORT: String(port),
      ADMIN_ISSUER,
      ADMIN_AUDIENCE,
      ADMIN_JWKS_URI: options.jwksUri,
      POSTGRES_URL: options.postgresUrl?.reveal() ?? 'none',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  await vi.waitFor(() => expect(output).toContain('registry ready'), { timeout: 60_000 });
  return {
    url: `http://127.0.0.1:${port}`,
    feed: { kind: 'unix', path: join(runtimeDirectory, 'registry-feed.sock') },
    pid: child.pid ?? 0,
    output: () => output,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
};

// The audit's commands as an operator runs them, in a process of their own.

import { spawnSync } from 'node:child_process';
import { ROOT } from '#test/support/product-process.ts';

export type CommandResult = {
  readonly status: number | null;
  readonly output: string;
  readonly notes: string;
};

/** Runs `audit:{name}` with what the services were told by the environment. */
export const runAuditCommand = (
  environment: Readonly<Record<string, string>>,
  name: string,
  ...args: string[]
): CommandResult => {
  const command = ['--disable-warning=ExperimentalWarning', 'registry/audit-cli/main.ts', name, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  return { status, output: stdout.trim(), notes: stderr.trim() };
};

// Runs one command of a table: its answer to standard output, its notes to standard error, its outcome as the status.

import { GatewayError } from '#core/gateway-error.ts';
import type { Command } from '#registry/manifest-cli/command.ts';

const run = async (commands: Readonly<Record<string, Command>>): Promise<number> => {
  const [name = '', ...args] = process.argv.slice(2);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw new GatewayError('config_invalid', `expected one of ${Object.keys(commands).join(', ')}`);
  const { output, notes, failed } = await command(args, Math.floor(Date.now() / 1_000));
  for (const note of notes) process.stderr.write(`${note}\n`);
  if (output !== '') process.stdout.write(`${output}\n`);
  return failed ? 1 : 0;
};

/** The first argument of the process names the command. Status 1 if it failed, 2 if it could not be tried. */
export const runCommands = (commands: Readonly<Record<string, Command>>): void => {
  run(commands).then(
    (code) => {
      process.exitCode = code;
    },
    (thrown: unknown) => {
      process.stderr.write(`${GatewayError.from(thrown).message}\n`);
      process.exitCode = 2;
    },
  );
};

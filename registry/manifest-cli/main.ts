// `npm run manifest:keygen | manifest:sign | manifest:verify | manifest:schema`: the publisher's tools. Each prints one
// thing on standard output, for a pipe, and what a person should read on standard error.

import { GatewayError } from '#core/gateway-error.ts';
import type { Command } from '#registry/manifest-cli/command.ts';
import { keygen } from '#registry/manifest-cli/keygen.ts';
import { schema } from '#registry/manifest-cli/schema.ts';
import { sign } from '#registry/manifest-cli/sign.ts';
import { verify } from '#registry/manifest-cli/verify.ts';

const COMMANDS: Readonly<Record<string, Command>> = { keygen, sign, verify, schema };

const main = async (): Promise<number> => {
  const [name = '', ...args] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new GatewayError('config_invalid', `expected one of ${Object.keys(COMMANDS).join(', ')}`);
  const { output, notes, failed } = await command(args, Math.floor(Date.now() / 1_000));
  for (const note of notes) process.stderr.write(`${note}\n`);
  if (output !== '') process.stdout.write(`${output}\n`);
  return failed ? 1 : 0;
};

main().then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    process.stderr.write(`${GatewayError.from(thrown).message}\n`);
    process.exitCode = 2;
  },
);

// `npm run session:rotate-key`: adds a key to the file, which the running services take up by themselves. It seals the
// sessions to come; the ones before it go on opening those that are, until they are dropped.

import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { addKey } from '#runtime/key-file.ts';
import { configuredSessionKeyFile } from '#runtime/session-keys.ts';

/** Keys that stay beside the new one, where the command does not say. */
const KEEP = '2';

const USAGE = 'usage: npm run -s session:rotate-key [-- --keep <how many of the keys before stay, 1 to 20>]';

const keepOf = (args: readonly string[]): number => {
  try {
    const { keep } = parseArgs({
      args: [...args],
      options: { keep: { type: 'string', default: KEEP } },
    }).values;
    if (/^([1-9]|1\d|20)$/.test(keep)) return Number(keep);
  } catch {
    // Said below, in the same words for every mistake.
  }
  throw new GatewayError('config_invalid', USAGE);
};

try {
  const file = configuredSessionKeyFile();
  const count = addKey(file, keepOf(process.argv.slice(2)));
  process.stdout.write(`${file.path}: a key added, ${count} in it\n`);
} catch (thrown) {
  process.stderr.write(`${GatewayError.from(thrown).message}\n`);
  process.exitCode = 1;
}

// What the commands that rotate a key do: one key is added to a file, and the running services take it up by themselves.
// It seals from then on; those before it go on opening what they sealed, until they are dropped.

import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import type { KeyFile } from '#runtime/key-file.ts';

/** Keys that stay beside the new one, where the command does not say. */
const KEEP = '2';

const keepOf = (script: string): number => {
  try {
    const { keep } = parseArgs({
      args: process.argv.slice(2),
      options: { keep: { type: 'string', default: KEEP } },
    }).values;
    if (/^([1-9]|1\d|20)$/.test(keep)) return Number(keep);
  } catch {
    // Said below, in the same words for every mistake.
  }
  const usage = `usage: npm run -s ${script} [-- --keep <how many of the keys before stay, 1 to 20>]`;
  throw new GatewayError('config_invalid', usage);
};

/**
 * Runs the command as it was called, and says what it did.
 * @param script its name in package.json.
 * @param add adds the key and tells how many there are then.
 */
export const runRotation = <K>(
  script: string,
  work: { readonly file: () => KeyFile<K>; readonly add: (file: KeyFile<K>, keep: number) => number },
): void => {
  try {
    const keep = keepOf(script);
    const file = work.file();
    process.stdout.write(`${file.path}: a key added, ${work.add(file, keep)} in it\n`);
  } catch (thrown) {
    process.stderr.write(`${GatewayError.from(thrown).message}\n`);
    process.exitCode = 1;
  }
};

// `audit:checkpoint`: the newest signed checkpoint of every chain, one compact JWS a line, to be kept where whoever can
// write to this machine cannot: another machine, a transparency log, a printed page.

import { join } from 'node:path';
import { chainPlaces } from '#registry/audit-cli/audit-places.ts';
import { withRegistry } from '#registry/audit-cli/registry-database.ts';
import { type Command, readArguments } from '#registry/manifest-cli/command.ts';
import { checkpointRows } from '#registry/store/audit-verify.ts';
import { chainsIn, checkpointsIn } from '#runtime/audit/chain-directory.ts';

const USAGE =
  'usage: npm run -s audit:checkpoint -- [--directory <audit directory>] [--database <SQLite file>]';

export const checkpoint: Command = async (args) => {
  const { options } = readArguments(args, { options: ['directory', 'database'], files: 0, usage: USAGE });
  const file = options['database'];
  const ofRegistry = (await withRegistry({ file, mode: 'read' }, checkpointRows)) ?? [];
  const ofProcesses = chainPlaces(options['directory']).flatMap(({ directory }) =>
    chainsIn(directory).flatMap((chain) => checkpointsIn(join(directory, chain)).slice(-1)),
  );
  const newest = [...ofRegistry.slice(-1), ...ofProcesses];
  const none = newest.length === 0;
  return { output: newest.join('\n'), notes: none ? ['there is no checkpoint yet'] : [], failed: none };
};

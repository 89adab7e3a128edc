// `audit:checkpoint`: the newest signed checkpoint of every chain, one compact JWS a line, to be kept where whoever can
// write to this machine cannot: another machine, a transparency log, a printed page.

import { join } from 'node:path';
import { chainPlaces } from '#registry/audit-cli/audit-places.ts';
import { type Command, readArguments } from '#registry/manifest-cli/command.ts';
import { chainsIn, checkpointsIn } from '#runtime/audit/chain-directory.ts';

const USAGE = 'usage: npm run -s audit:checkpoint -- [--directory <audit directory>]';

export const checkpoint: Command = async (args) => {
  const { options } = readArguments(args, { options: ['directory'], files: 0, usage: USAGE });
  const newest = chainPlaces(options['directory']).flatMap(({ directory }) =>
    chainsIn(directory).flatMap((chain) => checkpointsIn(join(directory, chain)).slice(-1)),
  );
  const none = newest.length === 0;
  return { output: newest.join('\n'), notes: none ? ['there is no checkpoint yet'] : [], failed: none };
};

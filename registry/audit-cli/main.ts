// `npm run audit:verify | audit:export | audit:checkpoint | audit:erase | audit:public-key | audit:rotate-key`. Each
// prints its answer on standard output, for a pipe, and what a person should read on standard error.

import { checkpoint } from '#registry/audit-cli/checkpoint.ts';
import { exportRecords } from '#registry/audit-cli/export.ts';
import { erase, publicKey, rotateKey } from '#registry/audit-cli/keys.ts';
import { verify } from '#registry/audit-cli/verify.ts';
import { runCommands } from '#registry/manifest-cli/run-commands.ts';

runCommands({
  verify,
  export: exportRecords,
  checkpoint,
  erase,
  'public-key': publicKey,
  'rotate-key': rotateKey,
});

// `npm run manifest:keygen | manifest:sign | manifest:verify | manifest:schema`: the publisher's tools. Each prints one
// thing on standard output, for a pipe, and what a person should read on standard error.

import { keygen } from '#registry/manifest-cli/keygen.ts';
import { runCommands } from '#registry/manifest-cli/run-commands.ts';
import { schema } from '#registry/manifest-cli/schema.ts';
import { sign } from '#registry/manifest-cli/sign.ts';
import { verify } from '#registry/manifest-cli/verify.ts';

runCommands({ keygen, sign, verify, schema });

// `audit:public-key`, `audit:erase`, `audit:rotate-key`: what is done with the keys of the audit.

import { publicJwk } from '#core/audit/checkpoint.ts';
import { auditKeys, checkpointKeys, subjectsDirectory } from '#registry/audit-cli/audit-places.ts';
import { withRegistry } from '#registry/audit-cli/registry-database.ts';
import { type Command, readArguments, stop } from '#registry/manifest-cli/command.ts';
import { eraseSubjectRows } from '#registry/store/audit-subjects.ts';
import { readAuditConfiguration } from '#runtime/audit/audit-configuration.ts';
import { auditKeyFile, signingKeyFile } from '#runtime/audit/audit-keys.ts';
import { eraseSubject } from '#runtime/audit/subject-ring.ts';
import { addKey } from '#runtime/key-file.ts';

/** The public halves of all keys that signed or sign checkpoints, as a JWK set. */
export const publicKey: Command = async (args) => {
  readArguments(args, { options: [], files: 0, usage: 'usage: npm run -s audit:public-key' });
  const keys = await checkpointKeys(undefined);
  return { output: JSON.stringify({ keys: keys.map(publicJwk) }), notes: [], failed: false };
};

const ERASE_USAGE = 'usage: npm run -s audit:erase -- --subject <principal>';

/** Deletes the keys of a subject: its sealed fields can be read by nobody any more, and every chain stays valid. */
export const erase: Command = async (args) => {
  const { options } = readArguments(args, { options: ['subject'], files: 0, usage: ERASE_USAGE });
  const principal = options['subject'] ?? stop(ERASE_USAGE);
  const keys = auditKeys();
  const inRegistry = await withRegistry({ file: undefined, mode: 'write' }, (database) =>
    eraseSubjectRows(database, keys, principal),
  );
  const count = (inRegistry ?? 0) + eraseSubject(keys, subjectsDirectory(), principal);
  return { output: `${count} keys erased`, notes: [], failed: false };
};

const ROTATE_USAGE = 'usage: npm run -s audit:rotate-key -- chain|signing';

/** Adds a key, which writes from the next start of each service on; the old ones verify what they wrote. */
export const rotateKey: Command = async (args) => {
  const [which] = readArguments(args, { options: [], files: 1, usage: ROTATE_USAGE }).files;
  const { keyFile, signingKeyFile: signingFile } = readAuditConfiguration();
  if (which === 'chain') addKey(auditKeyFile(keyFile));
  else if (which === 'signing') addKey(signingKeyFile(signingFile));
  else return stop(ROTATE_USAGE);
  return { output: '', notes: ['added; restart the services to use it'], failed: false };
};

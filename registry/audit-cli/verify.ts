// `audit:verify`: every chain, offline, one line each; the first fault of a chain is named by its number. Status 1 if
// anything is not as it was written or not there.

import { type ChainVerdict, describeVerdict, isSound } from '#core/audit/verdict.ts';
import { auditKeys, chainPlaces, checkpointKeys, readCheckpoints } from '#registry/audit-cli/audit-places.ts';
import { withRegistry } from '#registry/audit-cli/registry-database.ts';
import { verifyExport } from '#registry/audit-cli/verify-export.ts';
import { type Command, type Options, pathOf, readArguments } from '#registry/manifest-cli/command.ts';
import { verifyDatabase } from '#registry/store/audit-verify.ts';
import {
  missingChains,
  type Outside,
  type VerifierKeys,
  verifyProcess,
} from '#runtime/audit/verify-process.ts';

const USAGE =
  'usage: npm run -s audit:verify -- [--directory <audit directory>] [--database <SQLite file>] | [--file <export>] [--checkpoint <file>] [--start <file>] [--public-key <JWK file>]';

type Named = { readonly name: string; readonly verdict: ChainVerdict };

const verifyDirectories = async (
  verifierKeys: VerifierKeys,
  directory: string | undefined,
  outside: Outside,
): Promise<Named[]> => {
  const found: Named[] = [];
  for (const place of chainPlaces(directory)) {
    const { verdicts } = await verifyProcess(verifierKeys, place.directory, outside);
    found.push(...verdicts.map((verdict) => ({ name: place.process, verdict })));
  }
  return found;
};

const verifyRegistry = async (
  verifierKeys: VerifierKeys,
  file: string | undefined,
  outside: Outside,
): Promise<Named[]> => {
  const verdict = await withRegistry({ file, mode: 'read' }, (database) =>
    verifyDatabase(database, verifierKeys, outside.witnesses),
  );
  return verdict === undefined ? [] : [{ name: 'registry', verdict }];
};

/** Everything this machine has, or what was named: a copy of one of them is judged alone. */
const verifyPlaces = async (
  verifierKeys: VerifierKeys,
  { directory, database }: Options,
  outside: Outside,
): Promise<Named[]> => {
  const isAll = directory === undefined && database === undefined;
  return [
    ...(isAll || database !== undefined ? await verifyRegistry(verifierKeys, database, outside) : []),
    ...(isAll || directory !== undefined ? await verifyDirectories(verifierKeys, directory, outside) : []),
  ];
};

export const verify: Command = async (args) => {
  const { options } = readArguments(args, {
    options: ['directory', 'database', 'file', 'checkpoint', 'start', 'public-key'],
    files: 0,
    usage: USAGE,
  });
  const signers = await checkpointKeys(options['public-key']);
  const anchored = await readCheckpoints(signers, options['checkpoint']);
  const outside = {
    starts: await readCheckpoints(signers, options['start']),
    witnesses: anchored.map((checkpoint) => ({ ...checkpoint, by: 'an anchored checkpoint' })),
  };
  const verifierKeys = { keys: auditKeys(), signers };
  const file = options['file'];
  const found =
    file === undefined
      ? await verifyPlaces(verifierKeys, options, outside)
      : (await verifyExport(verifierKeys.keys, pathOf(file), outside)).map((verdict) => ({
          name: 'export',
          verdict,
        }));
  const present = found.map(({ verdict }) => verdict.chain);
  const missing = missingChains(present, outside.witnesses, outside.starts);
  const all = [...found, ...missing.map((verdict) => ({ name: 'anchored', verdict }))];
  const faulty = all.filter(({ verdict }) => !isSound(verdict)).length;
  return {
    output: all.map(({ name, verdict }) => `${name} ${describeVerdict(verdict)}`).join('\n'),
    notes: [`chains: ${all.length}, with a fault: ${faulty}`],
    failed: faulty > 0,
  };
};

// `manifest:keygen`: a key pair of a publisher. The private half goes into a file of its owner, the public half to
// standard output in the form in which a publisher's `keys` take it.

import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type Command, pathOf, readArguments, stop } from '#registry/manifest-cli/command.ts';

const USAGE = 'usage: npm run -s manifest:keygen -- --kid <name> --out <file> [--alg ES256|EdDSA]';

const GENERATORS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const;

const isKnown = (alg: string): alg is keyof typeof GENERATORS => Object.hasOwn(GENERATORS, alg);

export const keygen: Command = async (args) => {
  const { options } = readArguments(args, { options: ['kid', 'out', 'alg'], files: 0, usage: USAGE });
  const { kid, out, alg = 'ES256' } = options;
  if (kid === undefined || out === undefined || !isKnown(alg)) return stop(USAGE);
  const { privateKey, publicKey } = GENERATORS[alg]();
  const secret = { ...privateKey.export({ format: 'jwk' }), alg, kid };
  // wx: a key that is there may be the only one that can still sign.
  await writeFile(pathOf(out), `${JSON.stringify(secret)}\n`, { mode: 0o600, flag: 'wx' }).catch(() =>
    stop(`${out} exists already or cannot be written; no key was made`),
  );
  const jwk = { ...publicKey.export({ format: 'jwk' }), alg };
  return { output: JSON.stringify({ kid, jwk }), notes: [`private key in ${out}`], failed: false };
};

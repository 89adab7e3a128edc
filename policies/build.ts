// `npm run policy:build`: builds the default policy into dist/, or, with --rules and --out, one with rules of your own.
// Wiring only; needs OPA (OPA_BIN, else `opa` on the PATH).

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { buildBundle } from '#policies/build/build-bundle.ts';
import { createOpa } from '#policies/build/opa.ts';
import { FOLDER_OPTIONS, givenFolders } from '#policies/given-folders.ts';
import { readConfig, text } from '#runtime/config.ts';
import { givenPath } from '#runtime/given-path.ts';

const OPTIONS = {
  ...FOLDER_OPTIONS,
  out: { type: 'string', default: join(import.meta.dirname, 'dist', 'default-policy') },
} as const;

// A reader sees the old file or the new one, never half of either.
const replaceFile = async (path: string, content: string | Buffer): Promise<void> => {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: OPTIONS });
  const { opaBinary } = readConfig({ opaBinary: text('OPA_BIN', 'opa') });
  const out = givenPath(values.out);
  const folders = await givenFolders(values);
  const built = await buildBundle(createOpa(opaBinary), { ...folders, name: basename(out) });
  const { wasm, manifest, archive, notes } = built;
  await mkdir(dirname(out), { recursive: true });
  await replaceFile(`${out}.wasm`, wasm);
  await replaceFile(`${out}.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  // What comes with the product is nobody's to upload.
  if (folders.rules !== undefined) await replaceFile(`${out}.tar.gz`, archive);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  process.stdout.write(`${out}.wasm ${wasm.length} bytes, ${manifest.wasmDigest}\n`);
};

main().catch((thrown: unknown) => {
  process.stderr.write(`${GatewayError.from(thrown).message}\n`);
  process.exitCode = 1;
});

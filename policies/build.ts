// `npm run policy:build`: builds the default policy into dist/, or, with --sources and --out, a policy of your own.
// Wiring only; needs OPA (OPA_BIN, else `opa` on the PATH).

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { buildBundle } from '#policies/build/build-bundle.ts';
import { createOpa } from '#policies/build/opa.ts';
import { readConfig, text } from '#runtime/config.ts';

const HERE = import.meta.dirname;

const { values } = parseArgs({
  options: {
    sources: { type: 'string', default: join(HERE, 'mcp') },
    vectors: { type: 'string', default: join(HERE, 'vectors') },
    out: { type: 'string', default: join(HERE, 'dist', 'default-policy') },
  },
});

// A reader sees the old file or the new one, never half of either.
const replaceFile = async (path: string, content: string | Buffer): Promise<void> => {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
};

const main = async (): Promise<void> => {
  const { opaBinary } = readConfig({ opaBinary: text('OPA_BIN', 'opa') });
  const out = resolve(values.out);
  const bundle = await buildBundle(createOpa(opaBinary), {
    name: basename(out),
    sources: resolve(values.sources),
    vectors: resolve(values.vectors),
  });
  await mkdir(dirname(out), { recursive: true });
  await replaceFile(`${out}.wasm`, bundle.wasm);
  await replaceFile(`${out}.json`, `${JSON.stringify(bundle.manifest, null, 2)}\n`);
  process.stdout.write(`${out}.wasm ${bundle.wasm.length} bytes, ${bundle.manifest.wasmDigest}\n`);
};

main().catch((thrown: unknown) => {
  process.stderr.write(`${GatewayError.from(thrown).message}\n`);
  process.exitCode = 1;
});

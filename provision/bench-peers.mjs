// What benchmarks compare the product with, and the load generator: the Go module test/bench/peers, built once for each
// state of its sources.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '#provision/command.mjs';
import { downloadFault } from '#provision/fault.mjs';
import { createFolderWhole, measureMegabytes } from '#provision/folder.mjs';
import { checkGo } from '#provision/go.mjs';

const COMMANDS = ['noop', 'opa', 'load', 'backend'];
const PREFIX = 'bench-peers-';
const LABEL = 'Peers of the benchmarks';

/** Digits of a digest that tell states of the sources apart. */
const DIGITS = 12;

const sourceFolder = ({ root }) => join(root, 'test', 'bench', 'peers');

const digestOf = (folder) => {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true }).filter((name) =>
    /(\.go|go\.mod|go\.sum)$/.test(name),
  );
  for (const name of files.toSorted()) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, DIGITS);
};

const toolFolder = (context) => join(context.root, '.tools', `${PREFIX}${digestOf(sourceFolder(context))}`);

const dropOlder = ({ root }, kept) => {
  const tools = join(root, '.tools');
  const older = readdirSync(tools).filter((name) => name.startsWith(PREFIX) && join(tools, name) !== kept);
  for (const name of older) rmSync(join(tools, name), { recursive: true, force: true });
};

/**
 * The folder of the built commands, if it is there.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<{ binary: string, origin: string } | undefined>}
 */
export const findBenchPeers = async (context) => {
  const binary = toolFolder(context);
  return existsSync(binary) ? { binary, origin: '.tools' } : undefined;
};

/** Names what is missing before anything is downloaded. @param {import('#provision/context.mjs').Context} context */
export const checkBenchPeers = (context) =>
  checkGo(context, { builds: 'it builds what benchmarks compare with' });

/**
 * Finds the peers or builds them.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} the folder that holds `noop`, `opa`, `load` and `backend`
 */
export const provisionBenchPeers = async (context) => {
  const { env, progress } = context;
  const found = await findBenchPeers(context);
  if (found !== undefined) {
    progress.cached(LABEL, found.origin);
    return found.binary;
  }
  const folder = toolFolder(context);
  await progress.step(LABEL, 'about 90 MB, built by Go, once; a few minutes', async () => {
    await createFolderWhole(folder, async (temporary) => {
      const packages = COMMANDS.map((name) => `./${name}`);
      const options = ['-buildvcs=false', '-mod=readonly', '-o', `${temporary}/`];
      const { code, output } = await run('go', ['build', ...options, ...packages], {
        cwd: sourceFolder(context),
        env: { ...env, GOFLAGS: '' },
      });
      if (code !== 0) throw downloadFault(LABEL, output, 'see that Go can fetch modules');
    });
    dropOlder(context, folder);
    return `${measureMegabytes(folder)} MB`;
  });
  return folder;
};

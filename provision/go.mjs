// Go, which builds what is only to be had as source: OPA, and the peers that benchmarks compare with.

import { findOnPath, run } from '#provision/command.mjs';
import { downloadFault, ProvisionFault } from '#provision/fault.mjs';
import { createFolderWhole } from '#provision/folder.mjs';
import { findVersion, isAtLeast } from '#provision/version.mjs';

/**
 * Names what is missing before anything is downloaded.
 * @param {Pick<import('#provision/context.mjs').Context, 'env' | 'versions'>} context
 * @param {{ builds: string, otherwise?: string }} purpose what is built with it, and how else to get that
 */
export const checkGo = async ({ env, versions }, { builds, otherwise }) => {
  const remedy = ['Install Go from https://go.dev/dl', otherwise].filter(Boolean).join(', or ');
  if (findOnPath('go', env) === undefined) throw new ProvisionFault(`Go is missing (${builds})`, remedy);
  const version = findVersion((await run('go', ['version'], { env })).output);
  if (version === undefined || !isAtLeast(version, versions.runner.go))
    throw new ProvisionFault(
      `Go ${versions.runner.go} or newer is needed, this is ${version ?? 'unknown'}`,
      remedy,
    );
};

/**
 * Installs one program with Go into `folder`, whole or not at all.
 * @param {Pick<import('#provision/context.mjs').Context, 'env'>} context
 * @param {{ folder: string, label: string, program: string, otherwise: string }} wanted `program` as `go install` takes it
 */
export const installByGo = ({ env }, { folder, label, program, otherwise }) =>
  createFolderWhole(folder, async (temporary) => {
    const { code, output } = await run('go', ['install', program], {
      env: { ...env, GOBIN: temporary, GOFLAGS: '' },
    });
    if (code !== 0) throw downloadFault(label, output, otherwise);
  });

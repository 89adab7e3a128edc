// k6, which puts users' load on a gateway: the one you name, the one on PATH, or the pinned one, built by Go.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '#provision/command.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { measureMegabytes } from '#provision/folder.mjs';
import { checkGo, installByGo } from '#provision/go.mjs';

const toolFolder = ({ root, versions }) => join(root, '.tools', `k6-${versions.k6.pinned}`);

const OTHERWISE = 'install k6 (https://grafana.com/docs/k6) on the PATH';

/**
 * A k6 that is there already, or undefined.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<{ binary: string, origin: string } | undefined>}
 */
export const findK6 = async (context) => {
  const { env } = context;
  if (env.K6_BIN) {
    if (existsSync(env.K6_BIN)) return { binary: env.K6_BIN, origin: 'K6_BIN' };
    throw new ProvisionFault(`K6_BIN=${env.K6_BIN} is not there`, 'Correct it or unset it');
  }
  const onPath = findOnPath('k6', env);
  if (onPath !== undefined) return { binary: onPath, origin: 'PATH' };
  const binary = join(toolFolder(context), 'k6');
  return existsSync(binary) ? { binary, origin: '.tools' } : undefined;
};

/** Names what is missing before anything is downloaded. @param {import('#provision/context.mjs').Context} context */
export const checkK6 = (context) => checkGo(context, { builds: 'it builds k6', otherwise: OTHERWISE });

/**
 * Finds k6 or builds it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionK6 = async (context) => {
  const { progress, versions } = context;
  const { pinned, module, megabytes } = versions.k6;
  const label = `k6 ${pinned}`;
  const found = await findK6(context);
  if (found !== undefined) {
    progress.cached(label, found.origin);
    return found.binary;
  }
  const folder = toolFolder(context);
  await progress.step(label, `about ${megabytes} MB, built by Go, once; a few minutes`, async () => {
    await installByGo(context, { folder, label, program: `${module}@v${pinned}`, otherwise: OTHERWISE });
    return `${measureMegabytes(folder)} MB`;
  });
  return join(folder, 'k6');
};

// OPA, which compiles and tests policies. The product runs without it: the default policy ships compiled.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { measureMegabytes } from '#provision/folder.mjs';
import { checkGo, installByGo } from '#provision/go.mjs';

const readOpaVersion = async (binary, env) => {
  const { code, output } = await run(binary, ['version'], { env });
  return code === 0 ? /^Version: (\S+)/m.exec(output)?.[1] : undefined;
};

const toolFolder = ({ root, versions }) => join(root, '.tools', `opa-${versions.opa.pinned}`);

/**
 * An OPA that is there already, or undefined. Another version compiles other bytes, so on PATH only the pinned one counts.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<{ binary: string, origin: string } | undefined>}
 */
export const findOpa = async (context) => {
  const { env, versions } = context;
  if (env.OPA_BIN) {
    const version = await readOpaVersion(env.OPA_BIN, env);
    if (version !== versions.opa.pinned)
      throw new ProvisionFault(
        `OPA_BIN=${env.OPA_BIN} is ${version === undefined ? 'not OPA' : `OPA ${version}`}, ${versions.opa.pinned} is needed`,
        'Correct it or unset it',
      );
    return { binary: env.OPA_BIN, origin: 'OPA_BIN' };
  }
  const binary = join(toolFolder(context), 'opa');
  if (existsSync(binary)) return { binary, origin: '.tools' };
  const onPath = findOnPath('opa', env);
  const isPinned = onPath !== undefined && (await readOpaVersion(onPath, env)) === versions.opa.pinned;
  return isPinned ? { binary: onPath, origin: 'PATH' } : undefined;
};

/** Names what is missing before anything is downloaded. @param {import('#provision/context.mjs').Context} context */
export const checkOpa = (context) =>
  checkGo(context, {
    builds: `the policy tests build OPA ${context.versions.opa.pinned} with it`,
    otherwise: `set OPA_BIN to an OPA ${context.versions.opa.pinned} binary`,
  });

/**
 * Finds OPA or builds it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionOpa = async (context) => {
  const { progress, versions } = context;
  const { pinned, module, megabytes } = versions.opa;
  const label = `OPA ${pinned}`;
  const found = await findOpa(context);
  if (found !== undefined) {
    progress.cached(label, found.origin);
    return found.binary;
  }
  const folder = toolFolder(context);
  await progress.step(label, `about ${megabytes} MB, built by Go, once; a few minutes`, async () => {
    await installByGo(context, {
      folder,
      label,
      program: `${module}@v${pinned}`,
      otherwise: `set OPA_BIN to an OPA ${pinned} binary`,
    });
    return `${measureMegabytes(folder)} MB`;
  });
  return join(folder, 'opa');
};

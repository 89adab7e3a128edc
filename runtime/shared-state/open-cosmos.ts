// Shared state in Cosmos DB as a deployment asks for it: the account, its key from a file that is read again as it changes,
// and a container that somebody has made. All calls go to the one endpoint that was given, and to no other region.

import { basename, dirname } from 'node:path';
import { type Container, CosmosClient } from '@azure/cosmos';
import { GatewayError } from '#core/gateway-error.ts';
import { err } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { DEFAULT_TENANT } from '#core/tenant.ts';
import { directory, type Environment, readConfig, text, url, type Variable } from '#runtime/config.ts';
import type { Logger } from '#runtime/logger.ts';
import { lookAgain } from '#runtime/look-again.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { createAttempts } from '#runtime/shared-state/attempt.ts';
import { createCosmosState } from '#runtime/shared-state/cosmos.ts';
import { sharedStateTimeout } from '#runtime/shared-state/open-sql.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

/** Retries of what the account has no units left for (429), each after the pause it names; the deadline ends them too. */
const MAX_RETRIES = 3;
/** Longest time the first request may take, with a connection to make, milliseconds. No call waits for it so long. */
const CONNECT_MS = 3_000;
/** How often the key's file is read, milliseconds. */
const LOOK_MS = 1_000;

/** In the clear to this machine only: whoever reads along reads signatures, which are good for a quarter of an hour. */
const PROTECTED = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$))/;

const accountUrl = (name: string): Variable<string> => {
  const any = url(name);
  return {
    ...any,
    parse: (given, environment) =>
      PROTECTED.test(given) ? any.parse(given, environment) : err('expected an absolute https URL'),
  };
};

const VARIABLES = {
  endpoint: accountUrl('COSMOS_ENDPOINT'),
  keyFile: directory('COSMOS_KEY_FILE'),
  database: text('COSMOS_DATABASE', 'mcpgw'),
  container: text('COSMOS_CONTAINER', 'shared-state'),
  deadlineMs: sharedStateTimeout,
};

export type CosmosStateConfiguration = ReturnType<typeof readCosmosStateConfiguration>;

/** @throws GatewayError `config_invalid` */
export const readCosmosStateConfiguration = (environment?: Environment) => readConfig(VARIABLES, environment);

const readKey = async (keyFile: string): Promise<Secret> => {
  const key = await createSecretStore(dirname(keyFile)).read(DEFAULT_TENANT, basename(keyFile));
  if (!key.ok) throw new GatewayError('config_invalid', `COSMOS_KEY_FILE: ${key.error}`);
  return key.value;
};

/** What the service or the network said, without addresses or headers. */
const explain = (thrown: unknown): string => {
  if (thrown instanceof GatewayError) return thrown.message;
  const { code, substatus, name } = Object(thrown) as Record<string, unknown>;
  if (typeof code !== 'number') return [name, code].filter((part) => part !== undefined).join(' ');
  return `the account answered ${code}${substatus === undefined ? '' : `/${substatus}`}`;
};

/** @throws GatewayError `config_invalid`: without a time to live nothing would ever be taken away. */
const assertFit = async (container: Container): Promise<void> => {
  const { resource } = await container.read();
  const isFit = resource?.partitionKey?.paths.join() === '/id' && resource.defaultTtl !== undefined;
  if (!isFit)
    throw new GatewayError('config_invalid', 'the container needs partition key /id and a default TTL');
};

/** The container by one key; it is looked at with the first use, and again after a failure. */
const connect = (configuration: CosmosStateConfiguration, key: Secret) => {
  const client = new CosmosClient({
    endpoint: configuration.endpoint,
    key: key.reveal(),
    connectionPolicy: {
      requestTimeout: Math.max(CONNECT_MS, configuration.deadlineMs),
      enableEndpointDiscovery: false,
      enableBackgroundEndpointRefreshing: false,
      enablePartitionLevelFailover: false,
      useMultipleWriteLocations: false,
      retryOptions: {
        maxRetryAttemptCount: MAX_RETRIES,
        maxWaitTimeInSeconds: Math.ceil(configuration.deadlineMs / 1_000),
      },
    },
  });
  const container = client.database(configuration.database).container(configuration.container);
  let fit: Promise<void> | undefined;
  return {
    container: async (): Promise<Container> => {
      fit ??= assertFit(container).catch((thrown: unknown) => {
        fit = undefined;
        throw thrown;
      });
      await fit;
      return container;
    },
    dispose: () => client.dispose(),
  };
};

/**
 * Opens shared state there. An account that is away is asked again with every call.
 * @throws GatewayError `config_invalid` if there is no key in the file, or others can read it.
 */
export const openCosmosState = async (
  configuration: CosmosStateConfiguration,
  logger: Logger,
): Promise<SharedState> => {
  let key = await readKey(configuration.keyFile);
  let connection = connect(configuration, key);
  let fault = '';
  const look = async (): Promise<void> => {
    try {
      const now = await readKey(configuration.keyFile);
      fault = '';
      if (now.reveal() === key.reveal()) return;
      const before = connection;
      [key, connection] = [now, connect(configuration, now)];
      before.dispose();
      logger.info('key of Cosmos DB changed');
    } catch (thrown) {
      const { message } = GatewayError.from(thrown);
      if (message !== fault) logger.error({ error: message }, 'key of Cosmos DB refused, the old one serves');
      fault = message;
    }
  };
  const stopLooking = lookAgain(look, LOOK_MS);
  return createCosmosState({
    container: () => connection.container(),
    attempts: createAttempts({ backend: 'cosmos', deadlineMs: configuration.deadlineMs, logger, explain }),
    close: async () => {
      stopLooking();
      connection.dispose();
    },
  });
};

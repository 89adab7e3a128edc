// The plug-ins of this deployment, as the operator's variables name them.

import { createPlugins, type Plugins } from '#ext-proc/sanitation/plugins/create-plugins.ts';
import { integer, list, readConfig } from '#runtime/config.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

const SHAPE = {
  named: list('EXT_PROC_PLUGINS', ''),
  // Envoy waits five seconds for a reply (xds-server/filters/external-processor.ts).
  timeoutMs: integer(10, 4_000)('EXT_PROC_PLUGIN_TIMEOUT_MS', '200'),
  // Node itself takes some sixty.
  memoryMib: integer(128, 16 * 1024)('EXT_PROC_PLUGIN_MEMORY_MIB', '256'),
};

/** @throws GatewayError `config_invalid` for what cannot be read, found or loaded. */
export const createConfiguredPlugins = (parts: {
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Promise<Plugins> => {
  const { named, ...limits } = readConfig(SHAPE);
  return createPlugins({ named, from: process.cwd(), limits, ...parts });
};

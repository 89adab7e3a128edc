// Third-party detectors: found by what the operator names, each in a process of its own, all loaded before the gateway
// serves, ended with it.

import { GatewayError } from '#core/gateway-error.ts';
import type { Json } from '#core/json.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { findPlugins, type Plugin } from '#ext-proc/sanitation/plugins/find-plugins.ts';
import { createPluginLine, type PluginLine } from '#ext-proc/sanitation/plugins/plugin-line.ts';
import { createPluginMeasures } from '#ext-proc/sanitation/plugins/plugin-measures.ts';
import type { PluginLimits } from '#ext-proc/sanitation/plugins/plugin-process.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type Plugins = {
  readonly detectors: readonly Detector[];
  /** For the readiness page: name, version, state and restarts of each. */
  facts(): { readonly plugins: Json };
  stop(): void;
};

type Loaded = { readonly plugin: Plugin; readonly line: PluginLine };

const detectorOf = ({ plugin, line }: Loaded): Detector => ({
  name: `plugin:${plugin.name}`,
  kinds: plugin.kinds,
  scan: (text, options) => line.scan(text, options),
});

const assertStarted = async ({ plugin, line }: Loaded): Promise<void> => {
  const started = await line.start();
  if (started.ok) return;
  const place = `EXT_PROC_PLUGINS: ${plugin.name}: ${plugin.entry}`;
  throw new GatewayError('config_invalid', `${place} cannot be loaded: ${started.error}`);
};

/**
 * Finds and starts all plug-ins.
 * @param options.named npm packages and folders, as the operator writes them; `from` is where they are looked for.
 * @throws GatewayError `config_invalid` that names the plug-in, the file and what is wrong; nothing runs then.
 */
export const createPlugins = async (options: {
  readonly named: readonly string[];
  readonly from: string;
  readonly limits: PluginLimits;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Promise<Plugins> => {
  const found = await findPlugins(options.named, options.from);
  const measures = createPluginMeasures(options.metrics, options.logger);
  const loaded = found.map((plugin) => ({
    plugin,
    line: createPluginLine(plugin, options.limits, measures),
  }));
  const kill = (): void => {
    for (const { line } of loaded) line.stop();
  };
  // A process that hangs does not notice that nobody is there to answer.
  process.on('exit', kill);
  const stop = (): void => {
    process.off('exit', kill);
    kill();
  };
  try {
    for (const one of loaded) await assertStarted(one);
  } catch (thrown) {
    stop();
    throw thrown;
  }
  for (const { plugin } of loaded) measures.loaded(plugin.name, plugin.version);
  return {
    detectors: loaded.map(detectorOf),
    facts: () => ({
      plugins: loaded.map(({ plugin: { name, version = null }, line }) => ({
        name,
        version,
        ...line.facts(),
      })),
    }),
    stop,
  };
};

// Plug-ins of a test's making, each in a folder of its own, and what runs them.

import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { JsonObject } from '#core/json.ts';
import { createPlugins, type Plugins } from '#ext-proc/sanitation/plugins/create-plugins.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';

export const ACME_CODES = join(import.meta.dirname, '../../examples/plugins/acme-codes');

export type PluginFolder = {
  readonly path: string;
  /** Writes a plug-in and returns its folder. `place` is relative to `path`; the name is its last part. */
  write(place: string, code: string, manifest?: JsonObject): Promise<string>;
  remove(): Promise<void>;
};

export const createPluginFolder = async (): Promise<PluginFolder> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'mcpgw-plugins-')));
  return {
    path,
    write: async (place, code, manifest = {}) => {
      const folder = join(path, place);
      const name = place.split('/').at(-1);
      const mcpgwPlugin = { apiVersion: 1, name, kinds: ['word'], entry: 'index.mjs', ...manifest };
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), JSON.stringify({ name, version: '1.2.3', mcpgwPlugin }));
      await mkdir(dirname(join(folder, 'index.mjs')), { recursive: true });
      await writeFile(join(folder, 'index.mjs'), code);
      return folder;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
};

export type RunningPlugins = Plugins & {
  scan(name: string, text: string): Promise<unknown>;
  readonly logLines: readonly string[];
  metricsText(): Promise<string>;
};

/** A machine under load takes its time; what has to be overdue says so. */
const PATIENT = { timeoutMs: 5_000, memoryMib: 256 };

export const runPlugins = async (
  named: readonly string[],
  options: { readonly from?: string; readonly timeoutMs?: number; readonly memoryMib?: number } = {},
): Promise<RunningPlugins> => {
  const logLines: string[] = [];
  const logger = createLogger('ext-proc', 'info', { write: (line) => void logLines.push(line) });
  const metrics = createMetrics('ext-proc');
  const { from = tmpdir(), ...limits } = options;
  const plugins = await createPlugins({ named, from, limits: { ...PATIENT, ...limits }, logger, metrics });
  return {
    ...plugins,
    logLines,
    metricsText: async () => (await metrics.render()).body,
    scan: async (name, text) => {
      const detector = plugins.detectors.find((one) => one.name === `plugin:${name}`);
      if (detector === undefined) throw new Error(`no detector ${name}`);
      return detector.scan(text, {});
    },
  };
};

// What is counted and logged of plug-ins: names, outcomes, times. Never a byte of a text, nor what a plug-in says of it.

import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/**
 * How a scan went. `threw`: `scan` did. `malformed`: it returned no findings. `overdue`, `memory`, `forged`,
 * `crashed`: the process was killed or ended. `busy`: too many texts were waiting. `away`: the process is not started again yet.
 */
export type ScanOutcome =
  | 'ok'
  | 'threw'
  | 'malformed'
  | 'overdue'
  | 'memory'
  | 'forged'
  | 'crashed'
  | 'busy'
  | 'away';

export type PluginMeasures = {
  loaded(plugin: string, version: string | undefined): void;
  /** `seconds` from the question to the answer; undefined where none was put. */
  scanned(plugin: string, outcome: ScanOutcome, seconds?: number): void;
  /** The process is gone, and is started again in so many milliseconds. */
  lost(plugin: string, outcome: ScanOutcome | 'unloadable', restartMs: number): void;
};

/** Registers the metrics, once per `metrics`. */
export const createPluginMeasures = (metrics: Metrics, logger: Logger): PluginMeasures => {
  const scans = metrics.counter('ext_proc_plugin_scans_total', 'Texts put to plug-ins', [
    'plugin',
    'outcome',
  ]);
  const seconds = metrics.duration('ext_proc_plugin_scan_duration_seconds', 'Time of one scan', ['plugin']);
  const restarts = metrics.counter('ext_proc_plugin_restarts_total', 'Processes of plug-ins started anew', [
    'plugin',
  ]);
  return {
    loaded: (plugin, version) => {
      restarts.inc({ plugin }, 0);
      logger.info({ plugin, version }, 'plug-in loaded');
    },
    scanned: (plugin, outcome, duration) => {
      scans.inc({ plugin, outcome });
      if (duration !== undefined) seconds.observe({ plugin }, duration);
      // The process goes on, and nothing else says so.
      if (outcome === 'threw' || outcome === 'malformed') logger.warn({ plugin, outcome }, 'plug-in failed');
    },
    lost: (plugin, outcome, restartMs) => {
      restarts.inc({ plugin });
      logger.warn({ plugin, outcome, restartMs }, 'plug-in failed');
    },
  };
};

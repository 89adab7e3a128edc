// The table of nodes as it lies on the disk, looked at again and again: a faulty one is told and changes nothing, so a
// slip cannot cut off the fleet.

import { readFile } from 'node:fs/promises';
import { GatewayError } from '#core/gateway-error.ts';
import { err, type Result } from '#core/result.ts';
import type { Logger } from '#runtime/logger.ts';
import { lookAgain } from '#runtime/look-again.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { NO_TABLE, type NodesTable, parseNodesTable } from '#xds-server/nodes/nodes-table.ts';

/** How often the file is looked at. */
const LOOK_MS = 2_000;

export type NodesFile = {
  current(): NodesTable;
  /** Calls `listener` after every change of the table. */
  onChange(listener: () => void): void;
  stop(): void;
};

const read = async (
  path: string,
): Promise<{ readonly text: string; readonly table: Result<NodesTable, string> }> =>
  readFile(path, 'utf8').then(
    (text) => ({ text, table: parseNodesTable(text) }),
    () => ({ text: '', table: err('it cannot be read') }),
  );

/**
 * Watches the table; without a path there is none, and never will be.
 * @throws GatewayError `config_invalid` if the first one is faulty.
 */
export const watchNodesFile = async (
  path: string,
  tools: { readonly logger: Logger; readonly metrics: Metrics; readonly lookMs?: number },
): Promise<NodesFile> => {
  if (path === '') return { current: () => NO_TABLE, onChange: () => undefined, stop: () => undefined };
  const faulty = tools.metrics.gauge('xds_nodes_file_faulty', '1 while NODES_FILE is not the table in use.');
  let seen = await read(path);
  if (!seen.table.ok) throw new GatewayError('config_invalid', `NODES_FILE: ${path}: ${seen.table.error}`);
  let table = seen.table.value;
  const listeners: (() => void)[] = [];
  const look = async (): Promise<void> => {
    const found = await read(path);
    if (found.text === seen.text) return;
    seen = found;
    faulty.set(found.table.ok ? 0 : 1);
    if (!found.table.ok) {
      tools.logger.error(
        { path, fault: found.table.error },
        'table of nodes not taken up; the old one serves',
      );
      return;
    }
    table = found.table.value;
    tools.logger.info({ path, rules: table.rules.length }, 'table of nodes replaced');
    for (const listener of listeners) listener();
  };
  const stop = lookAgain(look, tools.lookMs ?? LOOK_MS);
  return {
    current: () => table,
    onChange: (listener) => void listeners.push(listener),
    stop,
  };
};

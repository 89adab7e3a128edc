// The MCP server behind every gateway that is measured: one process in Go that answers at once with little.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '#test/bench/check/service-process.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });

/** @param tools names of the tools it lists. */
export const startBackend = async (
  tools: readonly string[],
): Promise<{ readonly port: number; stop(): Promise<void> }> => {
  const folder = process.env['BENCH_PEERS_DIR'];
  if (folder === undefined)
    throw new Error('the peers are not built: start this by node provision/run.mjs --with bench-peers');
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-backend-'));
  const toolsFile = join(directory, 'tools.json');
  await writeFile(
    toolsFile,
    JSON.stringify(tools.map((name) => ({ name, inputSchema: { type: 'object' } }))),
  );
  const [port = 0] = await findFreePorts(1);
  const server = await startProcess({
    name: 'the server behind the gateways',
    command: join(folder, 'backend'),
    arguments: ['-listen', `127.0.0.1:${port}`, '-tools', toolsFile],
    isReady: () => isOpen(port),
  });
  return {
    port,
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

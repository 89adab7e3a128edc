// `npm start`: the whole product on one machine with a sample world in it. Wiring only.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { crashLine, readyScreen, stepLine } from '#demo/screen.ts';
import { quickstartFile, writeQuickstart } from '#demo/supervisor/quickstart.ts';
import { writeSecretFiles } from '#demo/supervisor/secret-files.ts';
import { readDemoSettings, wantedPorts } from '#demo/supervisor/settings.ts';
import { buildDemoUnits } from '#demo/supervisor/units.ts';
import { createFleet } from '#provision/processes/fleet.ts';
import { runInForeground } from '#provision/processes/foreground.ts';
import { watchLogs } from '#provision/processes/log-file.ts';
import { findPortFaults } from '#provision/processes/ports.ts';
import { followOrders, ordersDirectory } from '#provision/processes/replace-orders.ts';
import { findSocketFault } from '#provision/processes/sockets.ts';
import { inheritedEnvironment } from '#runtime/config.ts';

const startedAt = Date.now();

const stop = (faults: readonly string[]): never => {
  console.error(`\n  ${faults.join('\n  ')}\n`);
  process.exit(1);
};

const readSettings = () => {
  try {
    return readDemoSettings();
  } catch (thrown) {
    return stop([thrown instanceof Error ? thrown.message : String(thrown)]);
  }
};

const settings = readSettings();
const portFaults = await findPortFaults(wantedPorts(settings), 'npm start');
const socketFault = await findSocketFault(settings.runtimeDirectory);
const placeFaults = [...portFaults, ...(socketFault === undefined ? [] : [socketFault])];
if (placeFaults.length > 0) stop(placeFaults);

const { localDirectory } = settings;
mkdirSync(localDirectory, { recursive: true, mode: 0o700 });
rmSync(quickstartFile(localDirectory), { force: true });
rmSync(join(localDirectory, 'hold'), { recursive: true, force: true });
writeSecretFiles(settings.secretsDirectory);

const units = buildDemoUnits(settings);
const logsDirectory = join(localDirectory, 'logs');
watchLogs(units.map(({ name }) => join(logsDirectory, `${name}.log`)));

const place = {
  root: process.cwd(),
  environment: inheritedEnvironment(),
  logsDirectory,
  pidsDirectory: join(localDirectory, 'pids'),
  holdDirectory: join(localDirectory, 'hold'),
  onCrash: (name: string, how: string, waitMs: number) => console.log(crashLine(name, how, waitMs)),
};
const fleet = createFleet(units, place, {
  onReady: (name, detail, tookMs) => console.log(stepLine(name, detail, tookMs)),
});

followOrders(ordersDirectory(settings.runtimeDirectory), fleet);
await runInForeground(
  fleet,
  () => {
    writeQuickstart(settings);
    console.log(readyScreen(settings, Date.now() - startedAt));
  },
  {
    onStopping: () => console.log('stopping'),
    onStopped: () => console.log('stopped'),
    onFailed: (message) => console.error(`\n  ${message}\n  logs: ${logsDirectory}\n`),
  },
);

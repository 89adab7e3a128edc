// `npm run soak:streams -- --streams 10000`: as many open event streams through one Envoy and the whole product, silent and
// then trickling. Ends with 1 if one was lost, or a kill switch had not ended all within two seconds.

import { parseArgs } from 'node:util';
import { HOLDERS, type Holder, holdStreams, type StreamFigures } from '#test/soak/hold-streams.ts';

/** Product requirement. */
const KILL_MS = 2_000;

const KIB = 1024;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '10000' },
    'idle-seconds': { type: 'string', default: '20' },
    'trickle-seconds': { type: 'string', default: '15' },
  },
});

const numberOf = (name: keyof typeof values): number => {
  const value = Number(values[name]);
  if (!(value > 0)) throw new Error(`--${name} takes a number`);
  return value;
};

const faultsOf = (figures: StreamFigures): readonly string[] => [
  ...(figures.lostWhileIdle > 0 ? [`${figures.lostWhileIdle} streams ended while nothing happened`] : []),
  ...(figures.lostByChanges > 0 ? [`${figures.lostByChanges} streams ended by changes of the registry`] : []),
  ...(figures.heardOfServer < figures.opened
    ? [`${figures.opened - figures.heardOfServer} streams brought nothing`]
    : []),
  ...(figures.survivors > 0 ? [`${figures.survivors} streams outlived the kill switch`] : []),
  ...(figures.killMs > KILL_MS ? [`the kill switch took ${Math.round(figures.killMs)} ms`] : []),
  ...(figures.leftAtServer > 0 ? [`${figures.leftAtServer} streams were left at the servers`] : []),
];

const figures = await holdStreams({
  streams: numberOf('streams'),
  idleSeconds: numberOf('idle-seconds'),
  trickleSeconds: numberOf('trickle-seconds'),
  say: console.log,
});

const perStream = (name: Holder, when: 'idle' | 'trickling'): string =>
  ((figures[when][name] - figures.before[name]) / figures.opened / KIB).toFixed(1);

console.table(
  Object.fromEntries(
    HOLDERS.map((name) => [
      name,
      {
        'before, MiB': Math.round(figures.before[name] / KIB / KIB),
        'a silent stream, KiB': perStream(name, 'idle'),
        'a trickling stream, KiB': perStream(name, 'trickling'),
      },
    ]),
  ),
);
console.log(
  `${figures.opened} streams; the kill switch had ended the last after ${Math.round(figures.killMs)} ms`,
);
const cpu = Object.entries(figures.killCpu).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
console.log(`CPU of ending them, s: ${cpu.join(', ')}`);
for (const fault of faultsOf(figures)) {
  console.log(`FAULT: ${fault}`);
  process.exitCode = 1;
}

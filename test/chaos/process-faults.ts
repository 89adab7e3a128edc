// Every process killed, hung and restarted: SIGKILL and kept down for a while, SIGSTOP and SIGCONT, SIGTERM as an operator
// restarts it.

import type { Cost, Experiment } from '#test/chaos/experiment.ts';
import type { PartName } from '#test/chaos/units.ts';

type Word = { readonly costs: Cost; readonly promise: string };

/** What the product is to do while a part is gone, and while one hangs where that is different. */
type Row = { readonly gone: Word; readonly hung?: Word; readonly restarted?: Word };

const nothing = (promise: string): Word => ({ costs: 'nothing', promise });
const inHand = (promise: string): Word => ({ costs: 'calls in hand', promise });
const calls = (promise: string): Word => ({ costs: 'calls', promise });

const ROWS: Readonly<Record<PartName, Row>> = {
  postgres: { gone: nothing('writes are refused; calls go on') },
  redis: { gone: nothing('each decision process goes on with what it has') },
  idp: { gone: calls('calls with a token in the cache go on; new exchanges are refused in words') },
  upstream: { gone: calls('refused in words') },
  registry: { gone: nothing('no writes; calls go on') },
  'xds-server': { gone: nothing('Envoy keeps what it has') },
  'ext-authz': {
    gone: inHand('the other decision process takes over'),
    hung: calls('the other decision process takes over once Envoy notices'),
  },
  'ext-authz-2': {
    gone: inHand('the other decision process takes over'),
    hung: calls('the other decision process takes over once Envoy notices'),
  },
  'ext-proc': { gone: calls('answers that must be looked at are refused in words; streams break') },
  envoy: { gone: calls('connections break; nothing passes beside it') },
};

/** Longer than a client of the load waits: a shorter one is only slow. */
const HANG_MS = 9_000;

const killOf = (name: PartName, { gone }: Row): Experiment => ({
  name: `kill ${name}`,
  ...gone,
  touches: [name],
  begin: ({ parts }) => parts[name].hold(),
  end: async ({ parts }) => {
    parts[name].release();
    await parts[name].untilReady();
  },
});

const hangOf = (name: PartName, { gone, hung = gone }: Row): Experiment => ({
  name: `hang ${name}`,
  ...hung,
  touches: [name],
  holdMs: HANG_MS,
  begin: async ({ parts }) => parts[name].pause(),
  end: async ({ parts }) => {
    parts[name].resume();
    await parts[name].untilReady();
  },
});

const restartOf = (name: PartName, { gone, restarted = gone }: Row): Experiment => ({
  name: `restart ${name}`,
  ...restarted,
  touches: [name],
  holdMs: 0,
  begin: ({ parts }) => parts[name].restart(),
  end: ({ parts }) => parts[name].untilReady(),
});

const BOTH = ['ext-authz', 'ext-authz-2'] as const;

const killBoth: Experiment = {
  name: 'kill both ext-authz',
  costs: 'calls',
  promise: 'every call is refused in words, none passes unjudged',
  touches: BOTH,
  begin: async ({ parts }) => void (await Promise.all(BOTH.map((name) => parts[name].hold()))),
  end: async ({ parts }) => {
    for (const name of BOTH) parts[name].release();
    for (const name of BOTH) await parts[name].untilReady();
  },
};

const rows = Object.entries(ROWS) as [PartName, Row][];

export const PROCESS_FAULTS: readonly Experiment[] = [
  ...rows.map(([name, row]) => killOf(name, row)),
  ...rows.map(([name, row]) => hangOf(name, row)),
  ...rows.map(([name, row]) => restartOf(name, row)),
  killBoth,
];

// A whole run: the world, load on it, experiments one after another, and the judgements that can only be made at the end.

import { cpSync } from 'node:fs';
import { createArrivalReader } from '#test/chaos/arrivals.ts';
import { checkAudit } from '#test/chaos/audit-check.ts';
import { createCallers } from '#test/chaos/callers.ts';
import type { Experiment } from '#test/chaos/experiment.ts';
import { startLedger } from '#test/chaos/ledger.ts';
import { startLoad } from '#test/chaos/load.ts';
import { createLoanBook, startLoans } from '#test/chaos/loans.ts';
import { createOracle } from '#test/chaos/oracle.ts';
import { dialled } from '#test/chaos/places.ts';
import { createPlan } from '#test/chaos/plan.ts';
import { createRandom } from '#test/chaos/random.ts';
import { type Outcome, runExperiment } from '#test/chaos/runner.ts';
import type { Violation } from '#test/chaos/violations.ts';
import { startWorld, type World, type WorldOptions } from '#test/chaos/world.ts';

export type ChaosOptions = {
  readonly seed: number;
  readonly experiments: readonly Experiment[];
  /** Calls a second. */
  readonly rate: number;
  /** How long each fault lasts, milliseconds; absent: as long as the experiment says. */
  readonly holdMs?: number | undefined;
  /** Of the world they run in, where it is not the plain one. */
  readonly world?: Pick<WorldOptions, 'openLink' | 'environment'>;
  /** Where the logs of all parts are copied to at the end. */
  readonly logsTo?: string | undefined;
  /** Hears of each step. */
  readonly say: (line: string) => void;
  /** Hears of each experiment when it is over. */
  readonly onOutcome: (outcome: Outcome) => void;
};

export type ChaosReport = {
  readonly seed: number;
  readonly outcomes: readonly Outcome[];
  readonly calls: number;
  /** Writes to the registry by fate. */
  readonly writes: Readonly<Record<string, number>>;
  /** Allowed calls on record, over all chains. */
  readonly onRecord: number;
  /** What was found beside the experiments' own. */
  readonly violations: readonly Violation[];
};

const READ_MS = 250;
const RENEW_MS = 500;
const LONG_STREAMS = 4;

/** Load on the world, and who judges it; `stop` ends both. */
export const startWatch = async (world: World, { seed, rate }: Pick<ChaosOptions, 'seed' | 'rate'>) => {
  const random = createRandom(seed);
  const callers = await createCallers(world.tokens);
  const book = createLoanBook();
  const oracle = createOracle(callers.isOwnToken, book);
  const readArrivals = createArrivalReader(world.arrivalsFile);
  const read = (): void => oracle.arrived(readArrivals());
  const origin = `http://${dialled(world.places.links['client-envoy'])}`;
  const ledger = startLedger(world.operator, random, oracle);
  const loans = startLoans(world.operator, { random, book, oracle });
  const plan = createPlan(callers, random);
  const load = startLoad({ origin, plan, oracle, rate, longStreams: LONG_STREAMS });
  const timers = [setInterval(read, READ_MS), setInterval(() => void callers.renewNext(), RENEW_MS)];
  const stop = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer);
    await load.stop();
    await ledger.stop();
    await loans.stop();
  };
  return { oracle, ledger, load, read, stop };
};

type Watch = Awaited<ReturnType<typeof startWatch>>;

const concludeRun = async (world: World, { oracle, ledger, read }: Watch) => {
  read();
  const writes = await ledger.verify();
  const onRecord = checkAudit(world, oracle);
  const unseen = oracle.unseen().length;
  if (unseen > 0) oracle.violated(`${unseen} calls were answered and no server has seen them`);
  return { writes, onRecord };
};

const runAll = async (world: World, options: ChaosOptions, watch: Watch): Promise<ChaosReport> => {
  const outcomes: Outcome[] = [];
  for (const experiment of options.experiments) {
    const say = (what: string): void => options.say(`${experiment.name}: ${what}`);
    const running = { world, oracle: watch.oracle, watched: watch.load, holdMs: options.holdMs, say };
    const outcome = await runExperiment(experiment, running);
    outcomes.push(outcome);
    options.onOutcome(outcome);
  }
  const told = outcomes.flatMap(({ violations }) => violations);
  await watch.stop();
  options.say('reading the registry and the audit');
  const conclusion = await concludeRun(world, watch);
  const calls = watch.oracle.records().filter(({ side }) => side === 'call').length;
  const violations = watch.oracle.violations().filter((violation) => !told.includes(violation));
  return { seed: options.seed, outcomes, calls, ...conclusion, violations };
};

/**
 * Runs all of it.
 * @throws if the world does not start, or things are not calm between two experiments
 */
export const runChaos = async (options: ChaosOptions): Promise<ChaosReport> => {
  const { say } = options;
  const world = await startWorld({ say, ...options.world });
  try {
    const watch = await startWatch(world, options);
    try {
      return await runAll(world, options, watch);
    } finally {
      await watch.stop();
    }
  } finally {
    if (options.logsTo !== undefined) cpSync(world.places.logsDirectory, options.logsTo, { recursive: true });
    await world.stop();
  }
};

/** Everything that must not have been, a line each. */
export const violationsIn = ({ outcomes, violations }: ChaosReport): readonly string[] => {
  const line = ({ what, evidence }: Violation): string =>
    evidence === undefined ? what : `${what} (${evidence})`;
  return [
    ...outcomes.flatMap((outcome) => outcome.violations.map((one) => `${outcome.name}: ${line(one)}`)),
    ...violations.map(line),
  ];
};

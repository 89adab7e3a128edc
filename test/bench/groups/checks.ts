// Checks a second of one decision process beside its peers, without Envoy: the same messages, in a closed loop of 32 at a
// time over two connections, as two workers of Envoy would ask.

import { join } from 'node:path';
import { cpuUsOf } from '#test/bench/check/service-process.ts';
import { type CheckWorld, startCheckWorld, WITH_POLICY } from '#test/bench/check/world.ts';
import { type BenchGroup, type GroupSettings, type Measured, secondsOf } from '#test/bench/core/row.ts';
import { expectChecks } from '#test/bench/groups/expect.ts';
import { cpuRow, perSecondRow } from '#test/bench/groups/shared-rows.ts';
import { type CheckReport, loadChecks, startNoop, startOpa } from '#test/bench/peers/peers.ts';
import { startRedis } from '#test/support/redis-server.ts';
import { buildTenantBundle } from '#test/support/tenant-bundle.ts';

const CONNECTIONS = 2;
const STREAMS = 16;

/** More tokens a second than any contender verifies on a core. */
const FRESH_PER_SECOND = 8_000;

/** Callers of a short run. */
const FEW = 100;

const OURS = 'ext-authz';
const FRESH = 'ext-authz, every token new';
const POLICY = "ext-authz, tenant's policy too";
const TWO = 'two ext-authz';
const OPA = 'OPA-Go';
const OPA_FRESH = 'OPA-Go, every token new';
const NOOP = 'no-op';

type Contender = {
  /** Before the clock runs, and before processor time is counted. */
  prepare(seconds: number): Promise<unknown>;
  measure(seconds: number): Promise<CheckReport>;
  readonly pids: readonly number[];
  stop(): Promise<void>;
};

const NOTHING = async (): Promise<void> => {};

type Ask = { readonly socket: string; readonly messagesFile: string; readonly seconds: number };

const load = ({ socket, messagesFile, seconds }: Ask, connections = CONNECTIONS): Promise<CheckReport> =>
  loadChecks({ target: `unix:${socket}`, messagesFile, connections, streams: STREAMS, seconds });

const firstOf = (world: CheckWorld) => {
  const [first] = world.processes;
  if (first === undefined) throw new Error('there is no decision process');
  return first;
};

/** Messages with tokens that were never sent, more than can be asked in a turn. */
const freshMessages = async (world: CheckWorld, seconds: number): Promise<string> =>
  (await world.write({ fresh: Math.ceil((FRESH_PER_SECOND * seconds) / 20) * 20 })).messageFile;

const measureFresh = async (world: CheckWorld, socket: string, seconds: number): Promise<CheckReport> => {
  const report = await load({ socket, messagesFile: await freshMessages(world, seconds), seconds });
  if (report.sent > FRESH_PER_SECOND * seconds)
    throw new Error('more checks were answered than there were new tokens: some came twice');
  return report;
};

/** Tokens whose verification ran out meanwhile are verified anew beforehand. */
const known = (askedOf: () => Promise<Omit<Ask, 'seconds'>>): Pick<Contender, 'prepare' | 'measure'> => ({
  prepare: async (seconds) => load({ ...(await askedOf()), seconds: seconds / 4 }),
  measure: async (seconds) => load({ ...(await askedOf()), seconds }),
});

const ourContenders = (world: CheckWorld): Readonly<Record<string, Contender>> => {
  const { pid, socket, metric } = firstOf(world);
  const own = { pids: [pid], stop: NOTHING };
  const hits = () => metric('verified_token_cache_total', 'outcome="hit"');
  const policyFile = async () => (await world.write({ tenant: WITH_POLICY })).messageFile;
  const files: { policy?: string } = {};
  return {
    [OURS]: { ...own, ...known(async () => ({ socket, messagesFile: world.messageFile })) },
    [POLICY]: {
      ...own,
      ...known(async () => {
        files.policy ??= await policyFile();
        return { socket, messagesFile: files.policy };
      }),
    },
    [FRESH]: {
      ...own,
      prepare: NOTHING,
      measure: async (seconds) => {
        const before = await hits();
        const report = await measureFresh(world, socket, seconds);
        if ((await hits()) > before) throw new Error('a token that was to be new was known');
        return report;
      },
    },
  };
};

const startOpaContender = async (
  world: CheckWorld,
  { isFresh }: { readonly isFresh: boolean },
): Promise<Contender> => {
  const socket = join(world.directory, isFresh ? 'opa-fresh.sock' : 'opa.sock');
  const peer = await startOpa({ listen: `unix:${socket}`, ...world.peer, tokenCache: !isFresh });
  const asked = isFresh
    ? { prepare: NOTHING, measure: (seconds: number) => measureFresh(world, socket, seconds) }
    : known(async () => ({ socket, messagesFile: world.messageFile }));
  return { ...asked, pids: [peer.pid], stop: peer.stop };
};

const startNoopContender = async (world: CheckWorld): Promise<Contender> => {
  const socket = join(world.directory, 'noop.sock');
  const peer = await startNoop(`unix:${socket}`);
  return {
    prepare: NOTHING,
    measure: (seconds) => load({ socket, messagesFile: world.messageFile, seconds }),
    pids: [peer.pid],
    stop: peer.stop,
  };
};

const addReports = (first: CheckReport, second: CheckReport): CheckReport => ({
  ...first,
  sent: first.sent + second.sent,
  allowed: first.allowed + second.allowed,
  denied: first.denied + second.denied,
  errors: first.errors + second.errors,
});

/** A world of its own: two processes share a Redis, one alone needs none. */
const startTwo = async ({ isShort }: GroupSettings): Promise<Contender> => {
  const redis = await startRedis();
  try {
    const world = await startCheckWorld({
      processes: 2,
      redisUrl: redis.url,
      ...(isShort ? { callers: FEW } : {}),
    });
    return {
      pids: world.processes.map(({ pid }) => pid),
      prepare: NOTHING,
      measure: async (seconds) => {
        const asked = world.processes.map(({ socket }) =>
          load({ socket, messagesFile: world.messageFile, seconds }, CONNECTIONS / 2),
        );
        const reports = await Promise.all(asked);
        for (const report of reports) expectChecks(TWO, report, 'mixed');
        return reports.reduce(addReports);
      },
      stop: async () => {
        await world.stop();
        await redis.stop();
      },
    };
  } catch (thrown) {
    await redis.stop();
    throw thrown;
  }
};

const startContenders = async (
  world: CheckWorld,
  settings: GroupSettings,
): Promise<Readonly<Record<string, Contender>>> => {
  const { contenders } = settings;
  const starts: Readonly<Record<string, () => Promise<Contender>>> = {
    [TWO]: () => startTwo(settings),
    [OPA]: () => startOpaContender(world, { isFresh: false }),
    [OPA_FRESH]: () => startOpaContender(world, { isFresh: true }),
    [NOOP]: () => startNoopContender(world),
  };
  const started: Record<string, Contender> = { ...ourContenders(world) };
  for (const [name, start] of Object.entries(starts)) if (contenders.has(name)) started[name] = await start();
  return started;
};

const measuredOf = (report: CheckReport, cpuUs: number): Measured => ({
  perSecond: report.sent / report.seconds,
  cpuUs: cpuUs / report.sent,
  p50Us: report.p50Us,
  p99Us: report.p99Us,
});

const openChecks = async (settings: GroupSettings) => {
  const { contenders, isShort } = settings;
  const world = await startCheckWorld({
    ...(contenders.has(POLICY) ? { bundle: buildTenantBundle() } : {}),
    ...(isShort ? { callers: FEW } : {}),
  });
  const started = await startContenders(world, settings).catch(async (thrown: unknown) => {
    await world.stop();
    throw thrown;
  });
  return {
    measure: async (name: string, round: number): Promise<Measured> => {
      const contender = started[name];
      if (contender === undefined) throw new Error(`no contender ${name}`);
      const seconds = secondsOf(round, settings);
      await contender.prepare(seconds);
      const cpu = () => contender.pids.reduce((sum, pid) => sum + cpuUsOf(pid), 0);
      const before = cpu();
      const report = await contender.measure(seconds);
      // Two of them are judged each by itself, above.
      if (name !== TWO) expectChecks(name, report, name === NOOP ? 'allowed' : 'mixed');
      return measuredOf(report, cpu() - before);
    },
    close: async () => {
      for (const contender of Object.values(started)) await contender.stop();
      await world.stop();
    },
  };
};

const perSecond = perSecondRow('checks/s');
const cpu = cpuRow('check');

export const CHECKS: BenchGroup = {
  id: 'checks',
  rows: [
    perSecond('checks-opa', 'checks/s ÷ OPA-Go, tokens cached', [OURS, OPA], 3.5),
    perSecond('checks-opa-policy', "checks/s ÷ OPA-Go, tokens cached, tenant's policy too", [POLICY, OPA]),
    perSecond('checks-opa-fresh', 'checks/s ÷ OPA-Go, no token cached', [FRESH, OPA_FRESH], 1.5),
    perSecond('checks-noop', 'checks/s ÷ no-op', [OURS, NOOP], 0.3),
    perSecond('checks-two', 'checks/s, two processes ÷ one', [TWO, OURS]),
    cpu('checks-cpu-opa', [OURS, OPA]),
    cpu('checks-cpu-noop', [OURS, NOOP]),
  ],
  open: openChecks,
};

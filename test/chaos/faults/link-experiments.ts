// Every link between two processes slow, cut, silent, dead and taken in vain.

import type { Cost, Experiment } from '#test/chaos/experiment.ts';
import { type FaultProxy, startFaultProxy } from '#test/chaos/faults/fault-proxy.ts';
import type { Link, LinkName } from '#test/chaos/places.ts';
import type { World } from '#test/chaos/world.ts';

/** Puts a proxy on a link; what it draws is the same for the same seed. */
export const openFaultProxy =
  (seed: number) =>
  ({ at, target }: Link): Promise<FaultProxy> =>
    startFaultProxy({ at, target, seed });

const proxyOn = ({ proxies }: World, link: LinkName): FaultProxy => {
  const proxy = proxies.get(link) as FaultProxy | undefined;
  if (proxy === undefined)
    throw new Error(`nothing stands on ${link}: this experiment needs a world with proxies`);
  return proxy;
};

/** What each fault of a pair of processes may cost callers. */
type Row = {
  /** How it is named. */
  readonly pair: string;
  readonly links: readonly LinkName[];
  /** What the product does while the other one cannot be reached. */
  readonly promise: string;
  /** While nothing passes, or nobody answers. */
  readonly unheard: Cost;
  /** Where its connections break and new ones are served. */
  readonly cut: Cost;
  /** Where it takes longer than usual for a reason. */
  readonly recoveryMs?: number;
};

/** A query of the registry that gets no answer is given up after 20 s, which the largest tenant needs (registry/store). */
const QUERY_MS = 30_000;

/** A consumer of the feed gives up a registry that says nothing for three heartbeats, and dials again within three seconds. */
const FEED_MS = 20_000;

const ROWS: readonly Row[] = [
  {
    pair: 'clients and Envoy',
    links: ['client-envoy'],
    promise: 'nothing passes beside it',
    unheard: 'calls',
    cut: 'calls in hand',
  },
  {
    pair: 'Envoy and servers',
    links: ['envoy-upstream'],
    promise: 'calls are refused in words',
    unheard: 'calls',
    cut: 'calls in hand',
  },
  {
    pair: 'Envoy and ext-authz',
    links: ['envoy-ext-authz', 'envoy-ext-authz-2'],
    promise: 'nothing passes unjudged; calls are refused in words until Envoy finds out by its pings',
    unheard: 'calls',
    cut: 'calls in hand',
  },
  {
    pair: 'Envoy and ext-proc',
    links: ['envoy-ext-proc'],
    promise: 'answers that must be looked at are refused in words; streams break',
    unheard: 'calls',
    cut: 'calls in hand',
  },
  {
    pair: 'Envoy and xds-server',
    links: ['envoy-xds-server'],
    promise: 'Envoy keeps what it has',
    unheard: 'nothing',
    cut: 'nothing',
  },
  {
    pair: 'the registry and its feed',
    links: ['xds-server-registry', 'ext-authz-registry', 'ext-authz-2-registry', 'ext-proc-registry'],
    promise: 'all go on with what they have',
    unheard: 'nothing',
    cut: 'nothing',
    recoveryMs: FEED_MS,
  },
  {
    pair: 'ext-authz and Redis',
    links: ['ext-authz-redis', 'ext-authz-2-redis'],
    promise: 'each decision process goes on with what it has',
    unheard: 'nothing',
    cut: 'nothing',
  },
  {
    pair: 'ext-authz and the identity provider',
    links: ['gateway-idp'],
    promise: 'calls with a token in the cache go on; new exchanges are refused in words',
    unheard: 'calls',
    cut: 'calls in hand',
  },
  {
    pair: 'the registry and Postgres',
    links: ['registry-postgres'],
    promise: 'writes are refused; calls go on',
    unheard: 'nothing',
    cut: 'nothing',
    recoveryMs: QUERY_MS,
  },
  {
    pair: 'operators and the registry',
    links: ['operator-registry'],
    promise: 'a write without an answer was carried out whole or not at all',
    unheard: 'nothing',
    cut: 'nothing',
  },
];

/** As between two continents on a bad day. */
const SLOW = { latencyMs: 40, jitterMs: 40, loss: 0.005 };

/** Few bytes at a time: whoever reads or writes so holds buffers for long. */
const DRIBBLE = { pieceBytes: 1, bytesPerSecond: 8_000 };

/** Longer than one call may wait, so that waiting itself is seen. */
const SILENT_MS = 8_000;

const each = (world: World, { links }: Row, run: (proxy: FaultProxy) => void): void => {
  for (const link of links) run(proxyOn(world, link));
};

type Fault = Pick<Experiment, 'begin' | 'end'> & Partial<Experiment>;

const experiment = (verb: string, row: Row, fault: Fault): Experiment => ({
  name: `${verb} between ${row.pair}`,
  promise: row.promise,
  costs: row.unheard,
  touches: row.links,
  ...(row.recoveryMs === undefined ? {} : { recoveryMs: row.recoveryMs }),
  ...fault,
});

const slow = (row: Row): Experiment =>
  experiment('delay, jitter and loss', row, {
    costs: 'nothing',
    promise: 'everything works, later',
    begin: async (world) => each(world, row, (proxy) => proxy.set(SLOW)),
    end: async (world) => each(world, row, (proxy) => proxy.set({})),
  });

const cut = (row: Row): Experiment =>
  experiment('connections reset', row, {
    costs: row.cut,
    holdMs: 2_000,
    begin: async (world) => each(world, row, (proxy) => proxy.cut('reset')),
    end: async () => undefined,
  });

const silent = (row: Row): Experiment =>
  experiment('silence', row, {
    holdMs: SILENT_MS,
    begin: async (world) => each(world, row, (proxy) => proxy.set({ isSilent: true })),
    end: async (world) => each(world, row, (proxy) => proxy.set({})),
  });

/** The machine is gone and another one has its address: what was connected stays so and carries nothing. */
const dead = (row: Row): Experiment =>
  experiment('dead connections', row, {
    begin: async (world) => each(world, row, (proxy) => proxy.strand()),
    end: async () => undefined,
  });

const vain = (row: Row): Experiment =>
  experiment('connections taken in vain', row, {
    begin: async (world) =>
      each(world, row, (proxy) => {
        proxy.takeInVain(true);
        proxy.cut('end');
      }),
    end: async (world) => each(world, row, (proxy) => proxy.takeInVain(false)),
  });

const rowOf = (link: LinkName): Row => {
  const row = ROWS.find(({ links }) => links.includes(link));
  if (row === undefined) throw new Error(`no row has ${link}`);
  return row;
};

const dribble = (link: LinkName): Experiment =>
  experiment('single bytes', rowOf(link), {
    costs: 'nothing',
    promise: 'everything works, later',
    begin: async (world) => proxyOn(world, link).set(DRIBBLE),
    end: async (world) => proxyOn(world, link).set({}),
  });

/** A client that never finds out that its connection is dead would be all that is measured. */
const ofProduct = ROWS.filter(({ links }) => !links.includes('client-envoy'));

export const LINK_FAULTS: readonly Experiment[] = [
  ...ROWS.map(slow),
  ...ROWS.map(cut),
  ...ROWS.map(silent),
  ...ofProduct.map(dead),
  ...ofProduct.map(vain),
  dribble('envoy-upstream'),
];

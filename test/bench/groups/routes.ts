// From the API call that activates a version to traffic on its route, and from the one that publishes it where both follow
// one another, among 1,000 servers of twenty tools in 50 tenants and
// among ten, with all processes the real ones; and how often Envoy asks ext-proc about answers that no rule concerns.

import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchGroup, type Measured, read } from '#test/bench/core/row.ts';
import { timeNewVersion } from '#test/bench/new-version.ts';
import { send, statelessRequest } from '#test/support/raw-call.ts';
import {
  type ScaleWorld,
  type Surroundings,
  startScaleWorld,
  startSurroundings,
} from '#test/support/scale-world.ts';

const SIZES = { 'ten servers': 10, '1,000 servers': 1_000 } as const;
type Size = keyof typeof SIZES;
const [FEW, MANY] = Object.keys(SIZES) as [Size, Size];

const PLAIN = 'tools/call';

/** Changes in a turn, of which the median counts. */
const CHANGES = 5;
const CALLS = 50;
/** Between two changes: what one leaves behind is paid for before the next. */
const PAUSE_MS = 200;

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const measureChanges = async (
  world: ScaleWorld,
  surroundings: Surroundings,
  next: () => number,
): Promise<Measured> => {
  const [activated, published]: [number[], number[]] = [[], []];
  for (let change = 0; change < CHANGES; change += 1) {
    const settled = { round: next(), settleMs: PAUSE_MS };
    activated.push((await timeNewVersion(world, surroundings, settled)).activated);
    await sleep(PAUSE_MS);
    published.push((await timeNewVersion(world, surroundings, { round: next() })).published);
    await sleep(PAUSE_MS);
  }
  return { activatedMs: medianOf(activated), publishedMs: medianOf(published) };
};

/** Plain calls go by; a list, which is cut, shows that whoever counts would have counted them. */
const measureHops = async (world: ScaleWorld, surroundings: Surroundings): Promise<Measured> => {
  const tenant = world.tenants[0];
  const server = tenant?.servers[0];
  if (tenant === undefined || server === undefined) throw new Error('there is one');
  const url = `${world.gateway}/t/${tenant.id}/mcp/${server.id}`;
  const token = await surroundings.callerToken(server.id);
  const ask = async (method: string, params: Record<string, unknown>): Promise<void> => {
    const { status, text } = await send(url, statelessRequest(method, params, { token }));
    if (status !== 200 || !text.includes('"result"'))
      throw new Error(`${method} is not answered with a result: ${status}`);
  };
  const streamsOf = async (work: () => Promise<void>): Promise<number> => {
    const before = await world.guardStreams();
    await work();
    return (await world.guardStreams()) - before;
  };
  const listed = await streamsOf(() => ask('tools/list', {}));
  if (listed !== 1) throw new Error(`a list took ${listed} streams to ext-proc, and one was to be`);
  const hops = await streamsOf(async () => {
    for (let call = 0; call < CALLS; call += 1)
      await ask('tools/call', { name: 'tool_0', arguments: { field_0: 'x' } });
  });
  return { hops, calls: CALLS };
};

const CONTENDERS = { [FEW]: SIZES[FEW], [MANY]: SIZES[MANY], [PLAIN]: SIZES[FEW] };

export const ROUTES: BenchGroup = {
  id: 'routes',
  rows: [
    {
      id: 'route-time',
      title: 'API call that activates to traffic, 1,000 servers × 20 tools in 50 tenants',
      needs: [MANY],
      unit: 'ms',
      ours: read(MANY, 'activatedMs'),
      target: { atMost: 30 },
    },
    {
      id: 'route-publish',
      title: 'API calls that publish and activate to traffic, 1,000 servers',
      needs: [MANY],
      unit: 'ms',
      ours: read(MANY, 'publishedMs'),
    },
    {
      id: 'route-growth',
      title: 'API call that activates to traffic, 1,000 servers ÷ ten',
      needs: [MANY, FEW],
      unit: 'ms',
      ours: read(MANY, 'activatedMs'),
      peer: read(FEW, 'activatedMs'),
      target: { atMost: 1.5 },
    },
    {
      id: 'guard-hops',
      title: `ext_proc hops of ${CALLS} tools/call that no response rule concerns`,
      needs: [PLAIN],
      unit: 'hops',
      ours: read(PLAIN, 'hops'),
      target: { atMost: 0 },
    },
  ],
  open: async ({ contenders }) => {
    const surroundings = await startSurroundings();
    const worlds = new Map<number, ScaleWorld>();
    let changes = 0;
    const close = async (): Promise<void> => {
      await Promise.all([...worlds.values()].map((world) => world.stop()));
      await surroundings.stop();
    };
    try {
      for (const [name, size] of Object.entries(CONTENDERS))
        if (contenders.has(name) && !worlds.has(size))
          worlds.set(size, await startScaleWorld(size, surroundings));
    } catch (thrown) {
      await close();
      throw thrown;
    }
    const next = (): number => {
      changes += 1;
      return changes;
    };
    return {
      measure: async (contender) => {
        const world = worlds.get(CONTENDERS[contender] ?? 0);
        if (world === undefined) throw new Error(`${contender} was not started`);
        return contender === PLAIN
          ? measureHops(world, surroundings)
          : measureChanges(world, surroundings, next);
      },
      close,
    };
  },
};

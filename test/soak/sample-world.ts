// One look at every process of the product while it runs: what the kernel says of it, what it says of itself.

import { join } from 'node:path';
import type { PartName } from '#test/chaos/units.ts';
import type { World } from '#test/chaos/world.ts';
import { figuresOf, totalOf } from '#test/soak/processes.ts';
import { type Scraped, scrape } from '#test/soak/scrape.ts';
import type { Allowance } from '#test/soak/series.ts';

export type Unit = 'MiB' | 'ms' | '';

export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: Unit;
  readonly allowance: Allowance;
};

/** Parts of the product; databases and servers are not judged here. */
export const JUDGED_PARTS = [
  'envoy',
  'ext-authz',
  'ext-authz-2',
  'ext-proc',
  'xds-server',
  'registry',
] as const satisfies readonly PartName[];

const MIB = 1024 * 1024;

// What a young process still finds a use for, and what a collector leaves lying about between two collections.
export const MEMORY: Allowance = { share: 0.08, least: 16 };
/** Connections come and go with the load. */
export const COUNT: Allowance = { share: 0.1, least: 12 };
/** What one of our own caches and queues holds. */
const ENTRIES: Allowance = { share: 0.2, least: 100 };

const OWN_BYTES = /^mcpgw_(?!process_|nodejs_)\w*(?:held|memory)_bytes$/;
const OWN_COUNT =
  /^mcpgw_(?!process_|nodejs_)\w*(?:_entries|_open_streams|_running|_waiting|_open|_connected_envoys|_consumers)$/;

const nameOf = (line: string): string => line.split('{', 1)[0] ?? line;

const sumOf = (scraped: Scraped, wanted: string): number => {
  let total = 0;
  for (const [line, value] of scraped) if (nameOf(line) === wanted) total += value;
  return total;
};

const ownFigures = (scraped: Scraped): readonly Figure[] => {
  const names = new Set([...scraped.keys()].map(nameOf));
  return [...names].flatMap((name): Figure[] => {
    const short = name.replace('mcpgw_', '');
    if (OWN_BYTES.test(name))
      return [{ name: short, value: sumOf(scraped, name) / MIB, unit: 'MiB', allowance: MEMORY }];
    return OWN_COUNT.test(name)
      ? [{ name: short, value: sumOf(scraped, name), unit: '', allowance: ENTRIES }]
      : [];
  });
};

const ofNode = (scraped: Scraped): readonly Figure[] => [
  {
    name: 'heap',
    value: sumOf(scraped, 'mcpgw_nodejs_heap_size_used_bytes') / MIB,
    unit: 'MiB',
    allowance: MEMORY,
  },
  {
    name: 'external',
    value: sumOf(scraped, 'mcpgw_nodejs_external_memory_bytes') / MIB,
    unit: 'MiB',
    allowance: MEMORY,
  },
  {
    name: 'handles',
    value: sumOf(scraped, 'mcpgw_nodejs_active_handles_total'),
    unit: '',
    allowance: COUNT,
  },
  ...ownFigures(scraped),
];

/** Figures of one part; those of itself are left out where it does not answer. */
const sampleOf = async (
  { parts, places }: World,
  part: (typeof JUDGED_PARTS)[number],
): Promise<readonly Figure[]> => {
  const [leader] = parts[part].pids();
  if (leader === undefined) return [];
  const total = totalOf(figuresOf(leader));
  const scraped = part === 'envoy' ? undefined : await scrape(join(places.runDirectory, `${part}-ops.sock`));
  return [
    { name: 'resident', value: total.residentBytes / MIB, unit: 'MiB', allowance: MEMORY },
    { name: 'descriptors', value: total.descriptors, unit: '', allowance: COUNT },
    ...(scraped === undefined ? [] : ofNode(scraped)),
  ];
};

/** Figures of all parts, each named `<part> <figure>`. */
export const sampleWorld = async (world: World): Promise<readonly Figure[]> => {
  const figures = await Promise.all(
    JUDGED_PARTS.map(async (part) =>
      (await sampleOf(world, part)).map((figure) => ({ ...figure, name: `${part} ${figure.name}` })),
    ),
  );
  return figures.flat();
};

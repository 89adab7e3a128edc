// What the built-in detectors cost on 10 KB of text: the slowest text that is made to keep one busy beside the slowest plain
// one, and the slowest detector on any of them.

import { BUILT_IN_DETECTORS } from '#ext-proc/sanitation/detectors/built-in.ts';
import { type BenchGroup, read } from '#test/bench/core/row.ts';
import { HOSTILE_TEXTS, PLAIN_TEXTS } from '#test/bench/sanitation-texts.ts';
import { filled, scan, scanAll, timeOf } from '#test/bench/sanitation-times.ts';

const SCANNER = 'detectors';

/** Scans of one text in a turn, of which the median counts; as many before as it takes to be compiled. */
const SCANS = 9;
const WARM_UP = 50;

const medianOf = (piece: string, run: (text: string) => void): number => timeOf(piece, run, SCANS).median;

const slowest = (pieces: readonly string[]): number =>
  Math.max(...pieces.map((piece) => medianOf(piece, (text) => void scanAll(text))));

const slowestRule = (pieces: readonly string[]): number =>
  Math.max(
    ...pieces.flatMap((piece) =>
      BUILT_IN_DETECTORS.map((detector) => medianOf(piece, (text) => void scan(detector, text))),
    ),
  );

export const DETECTORS: BenchGroup = {
  id: 'detectors',
  rows: [
    {
      id: 'detectors-hostile',
      title: 'all detectors on 10 KB, slowest hostile text ÷ slowest plain text',
      needs: [SCANNER],
      unit: 'µs',
      ours: read(SCANNER, 'hostileUs'),
      peer: read(SCANNER, 'plainUs'),
      target: { atMost: 5 },
    },
    {
      id: 'detectors-rule',
      title: 'slowest detector on any 10 KB text',
      needs: [SCANNER],
      unit: 'µs',
      ours: read(SCANNER, 'ruleUs'),
      target: { atMost: 1_000 },
    },
  ],
  open: async () => {
    const [plain, hostile] = [PLAIN_TEXTS, HOSTILE_TEXTS].map((texts) => texts.map(([, piece]) => piece)) as [
      string[],
      string[],
    ];
    for (let round = 0; round < WARM_UP; round += 1)
      for (const piece of [...plain, ...hostile]) scanAll(filled(piece, 2_048));
    return {
      measure: async () => ({
        plainUs: slowest(plain),
        hostileUs: slowest(hostile),
        ruleUs: slowestRule([...plain, ...hostile]),
      }),
      close: async () => {},
    };
  },
};

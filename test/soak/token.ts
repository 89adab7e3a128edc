// `npm run soak:token -- --minutes 5`: tokens of eight seconds, three processes with Redis and then one without. Ends with 1
// if a call met a token that had ended, a key was exchanged twice at once, or more often than its tokens came of age.

import { parseArgs } from 'node:util';
import { runTokenSoak, type SoakFigures, type SoakOptions } from '#test/soak/token-soak.ts';

/** One exchange for each token that has come of age, and little more. */
const MAX_EXCHANGES_PER_LIFE = 1.05;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '0.5' } } });
const seconds = Number(values.minutes) * 60;
if (!(seconds > 0)) throw new Error('--minutes takes a number of minutes');

const faultsOf = ({ oracle, provider, exchangesPerLife }: SoakFigures): readonly string[] => [
  ...(oracle.expired > 0 ? [`${oracle.expired} calls met a token that had ended`] : []),
  ...(oracle.wrong > 0 ? [`${oracle.wrong} calls carried a wrong token`] : []),
  ...(provider.overlapping > 0 ? [`${provider.overlapping} exchanges ran beside another of their key`] : []),
  ...(exchangesPerLife > MAX_EXCHANGES_PER_LIFE ? [`${exchangesPerLife} exchanges a life`] : []),
];

const report = async (title: string, options: SoakOptions): Promise<void> => {
  console.log(`\n${title}, ${options.seconds} s`);
  const figures = await runTokenSoak(options);
  const { oracle, provider } = figures;
  console.table({
    'calls that arrived with a good token': oracle.accepted,
    'with one that had ended': oracle.expired,
    'closest to its end on arrival, ms': Math.round(oracle.closestMs),
    'calls without a token': JSON.stringify(figures.refused),
    'longest wait of a call for its token, ms': Math.round(figures.longestMs),
    keys: provider.keys,
    exchanges: provider.exchanges,
    'exchanges beside another of their key': provider.overlapping,
    'exchanges per key and life': figures.exchangesPerLife.toFixed(3),
  });
  for (const fault of faultsOf(figures)) {
    console.log(`FAULT: ${fault}`);
    process.exitCode = 1;
  }
};

await report('three processes and Redis; one is killed, Redis restarted', {
  seconds,
  processes: 3,
  hasBadLuck: true,
});
await report('one process, nothing shared', { seconds, processes: 1, hasBadLuck: false });

// The thread in which the built-in detectors are timed, which has an engine of its own as ext-proc has: another group's client
// for Redis, once it is loaded, makes the same scans take twice as long in its own thread.

import { parentPort } from 'node:worker_threads';
import { ID_COUNTRIES } from '#core/detectors.ts';
import { exfiltration } from '#ext-proc/sanitation/detectors/exfiltration.ts';
import { hiddenText } from '#ext-proc/sanitation/detectors/hidden-text.ts';
import { findPhrases } from '#ext-proc/sanitation/detectors/instructions/phrases.ts';
import { findRoleMarkers } from '#ext-proc/sanitation/detectors/instructions/role-markers.ts';
import { readWords } from '#ext-proc/sanitation/detectors/instructions/words.ts';
import { findMailAddresses } from '#ext-proc/sanitation/detectors/pii/mail-addresses.ts';
import { pii } from '#ext-proc/sanitation/detectors/pii.ts';
import { ISSUED_TOKENS } from '#ext-proc/sanitation/detectors/secrets/issuers.ts';
import { findNamedValues } from '#ext-proc/sanitation/detectors/secrets/named-values.ts';
import { findPrivateKeys } from '#ext-proc/sanitation/detectors/secrets/private-keys.ts';
import { findTokens } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';
import { HOSTILE_TEXTS, PLAIN_TEXTS } from '#test/bench/sanitation-texts.ts';
import { filled, scan, scanAll, timeOf } from '#test/bench/sanitation-times.ts';

/** Scans of one text in a turn, of which the median counts; as many before as it takes to be compiled. */
const SCANS = 9;
const WARM_UP = 50;

const medianOf = (piece: string, run: (text: string) => void): number => timeOf(piece, run, SCANS).median;

const slowest = (pieces: readonly string[]): number =>
  Math.max(...pieces.map((piece) => medianOf(piece, (text) => void scanAll(text))));

type Rule = (text: string) => unknown;

/** Each check by itself: of what looks for data of people, mail addresses and the numbers of one country at a time. */
const RULES: readonly Rule[] = [
  (text) => scan(hiddenText, text),
  (text) => findPhrases(readWords(text)),
  findRoleMarkers,
  (text) => scan(exfiltration, text),
  (text) => findPrivateKeys(text, []),
  (text) => findTokens(text, ISSUED_TOKENS, []),
  (text) => findNamedValues(text, []),
  findMailAddresses,
  ...ID_COUNTRIES.map((country) => (text: string) => pii.scan(text, { countries: [country] })),
];

/** The slowest at a first look, which may have been no more than unlucky there, are timed again. */
const FINALISTS = 5;
const FINAL_SCANS = 31;

const slowestRule = (pieces: readonly string[]): number => {
  const seen = pieces.flatMap((piece) =>
    RULES.map((rule) => ({ piece, rule, us: medianOf(piece, (text) => void rule(text)) })),
  );
  const finalists = seen.toSorted((a, b) => b.us - a.us).slice(0, FINALISTS);
  return Math.max(
    ...finalists.map(({ piece, rule }) => timeOf(piece, (text) => void rule(text), FINAL_SCANS).median),
  );
};

const [plain, hostile] = [PLAIN_TEXTS, HOSTILE_TEXTS].map((texts) => texts.map(([, piece]) => piece)) as [
  string[],
  string[],
];
for (let round = 0; round < WARM_UP; round += 1)
  for (const piece of [...plain, ...hostile]) scanAll(filled(piece, 2_048));
parentPort?.on('message', () =>
  parentPort?.postMessage({
    plainUs: slowest(plain),
    hostileUs: slowest(hostile),
    ruleUs: slowestRule([...plain, ...hostile]),
  }),
);

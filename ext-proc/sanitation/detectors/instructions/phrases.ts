// Orders to a model as sequences of words by their use, each within a few words of the one before and in the same
// sentence. A sequence is followed word by word, so that a text of any length is read once.

import { WORD } from '#ext-proc/sanitation/detectors/instructions/vocabulary.ts';
import type { Word } from '#ext-proc/sanitation/detectors/instructions/words.ts';

/** `within`: at most so many words behind the one before. */
type Step = { readonly uses: number; readonly within: number };

type Phrase = {
  readonly kind: 'override' | 'concealment' | 'tool-order' | 'data-request';
  readonly steps: readonly Step[];
  /** True: not behind `can`, `you do`, `if`, which tell of something instead of ordering it. */
  readonly isCommand: boolean;
};

const then = (within: number, uses: number): Step => ({ uses, within });

const phrase = (
  kind: Phrase['kind'],
  first: number,
  steps: readonly Step[],
  { isCommand = false }: { readonly isCommand?: boolean } = {},
): Phrase => ({ kind, steps: [then(0, first), ...steps], isCommand });

const COMMAND = { isCommand: true };
const W = WORD;

const PHRASES: readonly Phrase[] = [
  // Ignore all previous instructions. Ignoriere alle vorherigen Anweisungen.
  phrase('override', W.drop, [then(5, W.prior), then(3, W.orders | W.rules)]),
  // Ignore your system prompt.
  phrase('override', W.drop, [then(3, W.yours), then(3, W.orders)]),
  // Disregard all instructions.
  phrase('override', W.drop, [then(2, W.all), then(3, W.orders)]),
  // Ignore les instructions précédentes. Ignora las instrucciones anteriores.
  phrase('override', W.drop, [then(4, W.orders), then(2, W.prior)]),
  // Forget everything you were told.
  phrase('override', W.drop, [then(2, W.everything), then(4, W.told | W.prior)]),
  phrase('override', W.override, [then(3, W.prior | W.yours), then(3, W.orders)], COMMAND),
  // Do not follow the previous instructions. Befolge die vorherigen Anweisungen nicht.
  phrase('override', W.not, [then(2, W.follow), then(4, W.prior), then(3, W.orders | W.rules)], COMMAND),
  phrase('override', W.follow, [then(4, W.prior), then(2, W.orders), then(2, W.not)], COMMAND),

  // Do not tell the user. No le digas al usuario.
  phrase('concealment', W.not, [then(3, W.tell), then(4, W.user)], COMMAND),
  // Sage dem Benutzer nichts davon. Ne dis rien à l'utilisateur.
  phrase('concealment', W.tell, [then(3, W.user), then(2, W.not)], COMMAND),
  phrase('concealment', W.tell, [then(2, W.not), then(4, W.user)], COMMAND),
  phrase('concealment', W.not, [then(2, W.inform), then(3, W.user), then(2, W.this)], COMMAND),
  // Call it without informing the user. … ohne den Benutzer zu informieren.
  phrase('concealment', W.call | W.send, [then(12, W.without), then(2, W.inform | W.tell), then(4, W.user)]),
  phrase('concealment', W.call | W.send, [then(12, W.without), then(3, W.user), then(3, W.inform | W.tell)]),
  phrase('concealment', W.not, [then(2, W.let), then(3, W.user), then(2, W.know)]),
  phrase('concealment', W.hide, [then(2, W.this), then(3, W.from), then(3, W.user)]),
  phrase('concealment', W.user, [then(2, W.must), then(1, W.not), then(3, W.know), then(3, W.this)]),
  phrase('concealment', W.user, [then(3, W.not), then(3, W.this), then(2, W.know)], COMMAND),

  // You must call the tool. Rufe sofort das Werkzeug … auf.
  phrase('tool-order', W.must, [then(3, W.call), then(7, W.tool)]),
  phrase('tool-order', W.call, [then(2, W.must), then(6, W.tool)]),
  phrase('tool-order', W.call, [then(7, W.tool), then(8, W.talk)]),

  phrase('data-request', W.send, [then(5, W.talk), then(3, W.history)], COMMAND),
  phrase('data-request', W.send, [then(5, W.history), then(3, W.talk)], COMMAND),
  phrase('data-request', W.send, [then(3, W.all), then(4, W.secrets), then(6, W.from)], COMMAND),
  phrase('data-request', W.reveal, [then(2, W.yours), then(2, W.system), then(2, W.orders)], COMMAND),
];

/** How far along a phrase is, by its steps: where it began, and which word was the last. */
type Course = { readonly start: number; readonly index: number; readonly sentence: number };
type Place = { readonly phrase: number; readonly step: number; readonly uses: number };

const BITS = 30;

/** Where in phrases a word of each use may stand, later steps first: a word goes on from what was there before it. */
const PLACES: readonly (readonly Place[])[] = Array.from({ length: BITS }, (_, bit) =>
  PHRASES.flatMap(({ steps }, index) =>
    steps
      .map(({ uses }, step) => ({ phrase: index, step, uses }))
      .filter(({ uses }) => (uses & (1 << bit)) !== 0),
  ).toSorted((a, b) => b.step - a.step),
);

/** `can`, `you` and the like directly before a word, or with one word between. */
const isTold = (word: Word, before: Word | undefined): boolean =>
  before !== undefined &&
  (before.uses & W.modal) !== 0 &&
  before.sentence === word.sentence &&
  word.index - before.index <= 2;

export type PhraseFound = { readonly kind: Phrase['kind']; readonly start: number; readonly end: number };

/** Phrases among the words of a text. */
export const findPhrases = (words: readonly Word[]): readonly PhraseFound[] => {
  const courses: (Course | undefined)[][] = PHRASES.map(() => []);
  const found: PhraseFound[] = [];
  const advance = (word: Word, before: Word | undefined, { phrase: at, step }: Place): void => {
    const { steps, kind, isCommand } = PHRASES[at] as Phrase;
    const course = courses[at] as (Course | undefined)[];
    const { index, sentence } = word;
    if (step === 0) {
      if (!isCommand || !isTold(word, before)) course[0] = { start: word.start, index, sentence };
      return;
    }
    const last = course[step - 1];
    const within = steps[step]?.within ?? 0;
    if (
      last === undefined ||
      last.sentence !== sentence ||
      index === last.index ||
      index - last.index > within
    )
      return;
    course[step] = { start: last.start, index, sentence };
    if (step < steps.length - 1) return;
    found.push({ kind, start: last.start, end: word.end });
    course.length = 0;
  };
  for (const [at, word] of words.entries())
    for (let bit = 0; bit < BITS; bit += 1)
      if ((word.uses & (1 << bit)) !== 0)
        for (const place of PLACES[bit] ?? []) advance(word, words[at - 1], place);
  return found;
};

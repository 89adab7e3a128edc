// Finds what a screen does not show and a model reads: characters of no width, those that reorder a line, tags and
// variation selectors that carry a message of their own. An emoji, an Arabic or an Indic word keeps its joiners.

import { DETECTOR_KINDS } from '#core/detectors.ts';
import { maskAll, maskJoiners } from '#core/hidden-characters.ts';
import type { Detector, Finding } from '#ext-proc/sanitation/detector.ts';

/**
 * Runs of hidden characters, a group for each kind in the order of `KINDS`, in UTF-16 code units: without the flag `u`
 * the search is several times as fast. A form feed is how PDF pages end; private characters are icons of many a page.
 */
const SUSPECT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  /((?:[\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]|\ud834[\udd73-\udd7a]|\ud82f[\udca0-\udca3])+)|([\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]+)|((?:[\udb40-\udb43][\udc00-\udfff])+)|([\u180b-\u180d\u180f\ufe00-\ufe0f]+)|(\u00ad+)|([\0-\x08\x0b\x0e-\x1f\x7f-\x9f]+)/g;

const KINDS = DETECTOR_KINDS['hidden-text'];

/** Supplementary variation selectors, U+E0100–E01EF, stand in the plane of the tags. */
const SELECTOR = /^(?:\udb40[\udd00-\uddef])+$/;

/** England, Scotland, Wales (UTS #51, subdivision flags), and a date of issue behind an ideograph (UTS #37). */
const IN_SIGN =
  /\u{1f3f4}[\u{e0061}-\u{e007a}]{5}\u{e007f}|\p{Ideographic}[\ufe00-\ufe02\u{e0100}-\u{e01ef}]|\p{Emoji}[\ufe0e\ufe0f]|\p{Sm}\ufe00|\p{Script=Mongolian}[\u180b-\u180f]/gu;

/** Breaks between words of scripts that write no spaces; marks that set the direction beside letters that need it. */
const IN_SCRIPT =
  /(?<=[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])\u200b|(?<=[\p{Script=Hebrew}\p{Script=Arabic}][\p{P}\p{S}\p{N}\s]{0,4})[\u200e\u200f](?![\u200e\u200f])|[\u200e\u200f](?=[\p{Script=Hebrew}\p{Script=Arabic}])|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Gujarati}\p{Script=Sinhala}\p{Script=Gurmukhi}\p{Script=Oriya}])[\u200c\u200d](?=[\p{L}\p{M}])/gu;

/** What each of the masks is about: a text without any of it is not searched, which would cost more than all else. */
const OF_JOINERS = /[\u200c\u200d]|\ufe0f/;
const OF_SIGNS = /[\u180b-\u180f\ufe00-\ufe0f\udb40]/;
const OF_SCRIPTS = /[\u200b-\u200f]/;

const maskShown = (text: string): string => {
  const joined = OF_JOINERS.test(text) ? maskJoiners(text) : text;
  const signed = OF_SIGNS.test(joined) ? maskAll(joined, IN_SIGN) : joined;
  return OF_SCRIPTS.test(signed) ? maskAll(signed, IN_SCRIPT) : signed;
};

const BYTE_ORDER_MARK = '\ufeff';

const kindOf = (run: string, found: RegExpExecArray): string => {
  if (found[1] !== undefined) return 'zero-width';
  const group = KINDS.findIndex((_, index) => found[index + 1] !== undefined);
  return KINDS[group] === 'tag' && SELECTOR.test(run) ? 'variation-selector' : (KINDS[group] ?? 'control');
};

/** Every run of hidden characters, in the order they stand in; a soft hyphen of its own is one as well. */
export const findHiddenRuns = (text: string): Finding[] => {
  if (text.search(SUSPECT) === -1) return [];
  const masked = maskShown(text);
  const findings: Finding[] = [];
  SUSPECT.lastIndex = 0;
  for (let found = SUSPECT.exec(masked); found !== null; found = SUSPECT.exec(masked)) {
    const [run] = found;
    const start = found.index;
    if (start > 0 || run !== BYTE_ORDER_MARK)
      findings.push({ kind: kindOf(run, found), start, end: start + run.length });
  }
  return findings;
};

/** One soft hyphen hyphenates, two spell something. */
const isHyphenation = ({ kind, start, end }: Finding): boolean => kind === 'soft-hyphen' && end - start === 1;

export const hiddenText: Detector = {
  name: 'hidden-text',
  kinds: KINDS,
  scan: (text) => findHiddenRuns(text).filter((run) => !isHyphenation(run)),
};

// How a text reads to a model, which is not put off by what fools a filter: styled letters, accents, letters of other
// scripts that look like Latin ones, markup and signs between words. Pure; linear in the length of the text.

const NOT_ASCII = /[^\p{ASCII}]/u;

/** Unicode sorts combining marks in quadratic time, minutes for a megabyte of them: long texts are folded in pieces. */
const FOLDED_AT_ONCE = 2_048;

/** Letters that most fonts draw like a Latin one, each before its Latin letter: Cyrillic, Greek, small capitals. */
const LOOKALIKES = [
  'аaеeоoрpсcуyхxѕsіiјjһhԁdԛqԝwкkтtмmвb',
  'АAВBЕEКKМMНHОOРPСCТTХXЅSІIЈJУY',
  'ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοo',
  'αaεeιiκkνvρpτtυuχx',
  'ᴀaʙbᴄcᴅdᴇeɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrᴛtᴜuᴠvᴡwʏyᴢzɡgɑaıi',
] as const;

const toPairs = (row: string): [string, string][] => {
  const letters = [...row];
  return letters.flatMap((letter, index): [string, string][] =>
    index % 2 === 0 ? [[letter, letters[index + 1] ?? letter]] : [],
  );
};

export const LATIN_OF: ReadonlyMap<string, string> = new Map(LOOKALIKES.flatMap(toPairs));

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

/** Pieces of a text, none of which ends in the middle of a character. */
function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = at + FOLDED_AT_ONCE;
    const next = isLowSurrogate(text.charCodeAt(end)) ? end + 1 : end;
    yield text.slice(at, next);
    at = next;
  }
}

/** Plain letters for styled, accented and foreign ones that look like them. */
export const unstyled = (text: string): string => {
  if (!NOT_ASCII.test(text)) return text;
  let folded = '';
  for (const piece of piecesOf(text)) {
    const plain = piece.normalize('NFKD').replace(/\p{M}+/gu, '');
    folded += plain.replace(/[^\p{ASCII}]/gu, (letter) => LATIN_OF.get(letter) ?? letter);
  }
  return folded;
};

/** One space between words, no case. */
const evened = (text: string): string => text.replace(/\s+/g, ' ').toLowerCase();

export type Reading = {
  /** With its signs: paths, tags. */
  readonly text: string;
  /** The words alone: no markup, no separators of names, ends of sentences kept. */
  readonly words: string;
};

const SIGNS = /(?![.!?'])[\p{P}\p{S}]/gu;
/** A full stop inside a name. */
const INNER_STOP = /(?<=\w)\.(?=\w)/g;
/** Where a name in camel case goes on. */
const HUMP = /(?<=\p{Ll})(?=\p{Lu})/gu;

/** A text as a model reads it. */
export const readingOf = (text: string): Reading => {
  const plain = unstyled(text).replace(/[\u2018\u2019]/g, "'");
  return {
    text: evened(plain),
    words: evened(plain.replace(HUMP, ' ').replace(SIGNS, ' ').replace(INNER_STOP, ' ')),
  };
};

/** A word in Latin letters with one that only looks like them: Cyrillic, or a Greek capital or omicron. */
const MIXED =
  /(?<![\p{L}\p{M}])(?=[\p{L}\p{M}]*[A-Za-z])[\p{L}\p{M}]*?([аеорсухѕіјһԁԛԝкАВЕКМНОРСТХЅІЈУΑΒΕΖΗΙΚΜΝΟΡΤΥΧο])/u;

/** The first letter that stands among Latin ones and only looks like one of them. */
export const findMixedLetter = (text: string): string | undefined =>
  NOT_ASCII.test(text) ? MIXED.exec(text)?.[1] : undefined;

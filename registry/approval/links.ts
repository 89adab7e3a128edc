// Addresses in a text, as a model would follow them: with a scheme or without, in styled letters too. Rather one too
// many than one too few: a word with a dot in it may wait for a person.

import { unstyled } from '#core/reading.ts';

const BETWEEN_WORDS = /[\s<>"'`()[\]{},;|]+/u;

/** Each looks at a bounded number of characters, so that no text makes the search slow. */
const FORMS: readonly RegExp[] = [
  /:\/\//,
  /^(?:mailto|data|javascript|tel|file):/i,
  /[\p{L}\p{N}][.\u3002]\p{L}{2}/u,
  /\d\.\d{1,3}\.\d{1,3}\.\d/,
  /\blocalhost\b/i,
];

const isLink = (word: string): boolean => {
  const plain = unstyled(word);
  return FORMS.some((form) => form.test(plain));
};

/**
 * Every word that is an address or holds one, as it is written and without the punctuation of the sentence behind it:
 * an address in other letters that look the same is another address.
 */
export const linksIn = (text: string): ReadonlySet<string> =>
  new Set(
    text
      .split(BETWEEN_WORDS)
      .filter(isLink)
      .map((word) => word.replace(/[.!?:\u3002]+$/u, '')),
  );

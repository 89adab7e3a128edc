// Whether a text is base64 (RFC 4648 §4): bytes, in which no text is looked for. Looks for what does not belong there,
// because a pattern that takes the whole text in groups of four runs out of stack at some megabytes.

const NOT_BASE64 = /[^A-Za-z0-9+/]/;

const paddingOf = (text: string): number => {
  if (text.endsWith('==')) return 2;
  return text.endsWith('=') ? 1 : 0;
};

/** True for the alphabet alone, padded to whole groups; the empty text is one too. */
export const isBase64 = (text: string): boolean =>
  text.length % 4 === 0 && !NOT_BASE64.test(text.slice(0, text.length - paddingOf(text)));

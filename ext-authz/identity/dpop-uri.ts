// Whether the address a DPoP proof was made for is the one that was called (RFC 9449 §4.3, step 9): after the
// normalisation of RFC 3986 §6.2.2 and §6.2.3, without query and fragment. Pure.

/** No blank, control character or backslash: WHATWG URLs drop or turn these, and two readers would see two addresses. */
const WRITTEN_PLAINLY = /^https?:\/\/[\x21-\x5b\x5d-\x7e]+$/i;

const UNRESERVED = /^[A-Za-z0-9._~-]$/;

/** Escapes in capitals, and none where none is needed (RFC 3986 §6.2.2.1 and §6.2.2.2). */
const normaliseEscapes = (path: string): string =>
  path.replace(/%[0-9a-f]{2}/gi, (written) => {
    const character = String.fromCharCode(Number.parseInt(written.slice(1), 16));
    return UNRESERVED.test(character) ? character : written.toUpperCase();
  });

/** The normal form of an http address; undefined for a text that is none, or that names a user. */
export const normaliseHttpUri = (text: string): string | undefined => {
  if (!WRITTEN_PLAINLY.test(text) || !URL.canParse(text)) return undefined;
  // Escapes first: `%2e%2e` is a dot segment too.
  const { origin, pathname, username, password } = new URL(normaliseEscapes(text));
  return username === '' && password === '' ? `${origin}${pathname}` : undefined;
};

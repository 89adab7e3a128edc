// Codings of a body that can be undone here (RFC 9110 §8.4.1; RFC 7932; RFC 8878).

export const CONTENT_CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const;
export type ContentCoding = (typeof CONTENT_CODINGS)[number];

/** `unknown`: another coding, or several, one on top of the other. */
export type BodyCoding = ContentCoding | 'identity' | 'unknown';

const isCoding = (name: string): name is ContentCoding =>
  (CONTENT_CODINGS as readonly string[]).includes(name);

const codingNamed = (name: string): BodyCoding => {
  // RFC 9110 §8.4.1.3: the older name of the same.
  const plain = name === 'x-gzip' ? 'gzip' : name;
  return isCoding(plain) ? plain : 'unknown';
};

/** @param values of every header `content-encoding`. */
export const bodyCodingOf = (values: readonly string[]): BodyCoding => {
  const names = values
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const [name, ...more] = names;
  if (name === undefined) return 'identity';
  return more.length > 0 ? 'unknown' : codingNamed(name);
};

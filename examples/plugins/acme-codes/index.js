// Finds two codes that are nobody's outside of Acme: projects (ACME-2041-KX) and cost centres (CC 10-4471).

/** No quantifier stands behind another one of the same letters: the time is in proportion to the text. */
const PATTERNS = [
  { kind: 'project-code', pattern: /\bACME-\d{4}-[A-Z]{2}\b/g },
  { kind: 'cost-centre', pattern: /\bCC \d{2}-\d{4}\b/g },
];

/** @param {string} text */
export const scan = (text) =>
  PATTERNS.flatMap(({ kind, pattern }) =>
    [...text.matchAll(pattern)].map((match) => ({
      kind,
      start: match.index,
      end: match.index + match[0].length,
    })),
  );

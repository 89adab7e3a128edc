// Word search over the sample documents. A dozen short texts need no index.

import documents from '#demo/servers/tracker/documents.json' with { type: 'json' };

export type Match = {
  readonly id: string;
  readonly title: string;
  readonly excerpt: string;
  readonly score: number;
};

const EXCERPT_CHARACTERS = 120;

const countOf = (word: string, text: string): number => text.split(word).length - 1;

/** Documents that contain every word of the query, best first; a word in the title counts three times. */
export const searchDocuments = (query: string, limit: number): readonly Match[] => {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const matches = documents.map(({ id, title, text }) => {
    const counts = words.map(
      (word) => 3 * countOf(word, title.toLowerCase()) + countOf(word, text.toLowerCase()),
    );
    const score = counts.includes(0) ? 0 : counts.reduce((sum, count) => sum + count, 0);
    return { id, title, excerpt: `${text.slice(0, EXCERPT_CHARACTERS)}…`, score };
  });
  return matches
    .filter((match) => match.score > 0)
    .toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
};

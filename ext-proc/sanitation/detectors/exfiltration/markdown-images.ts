// Which brackets of a markdown text are those of images (CommonMark 0.31, §6.4): an image is fetched by whoever shows
// it, a link only when somebody follows it. One pass, however the brackets are nested.

export type MarkdownImages = {
  /** Places of the `]` that ends the description of an image. */
  readonly ends: ReadonlySet<number>;
  /** Labels, in lower case, of the definitions that images refer to. */
  readonly labels: ReadonlySet<string>;
};

const NONE: MarkdownImages = { ends: new Set(), labels: new Set() };
const OPEN = 0x5b;
const CLOSE = 0x5d;
/** Longer labels are no labels of documents. */
const MAX_LABEL = 200;

const labelAt = (text: string, open: number): string | undefined => {
  const close = text.slice(open, open + MAX_LABEL).indexOf(']');
  return close === -1 ? undefined : text.slice(open + 1, open + close).toLowerCase();
};

/** The label that a `]` ends, in lower case. */
export const labelBefore = (text: string, close: number): string | undefined => {
  const before = text.slice(Math.max(0, close - MAX_LABEL), close);
  const open = before.lastIndexOf('[');
  return open === -1 ? undefined : before.slice(open + 1).toLowerCase();
};

/** The label of the definition that the image between two brackets refers to: its own, or one of its own behind it. */
const referenceOf = (text: string, open: number, close: number): string | undefined => {
  const isFull = text[close + 1] === '[' && text[close + 2] !== ']';
  return labelAt(text, isFull ? close + 1 : open);
};

export const findMarkdownImages = (text: string): MarkdownImages => {
  if (!text.includes('![')) return NONE;
  const [ends, labels, open] = [new Set<number>(), new Set<string>(), [] as number[]];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPEN) open.push(at);
    if (code !== CLOSE) continue;
    const start = open.pop();
    if (start === undefined || text[start - 1] !== '!') continue;
    ends.add(at);
    labels.add(referenceOf(text, start, at) ?? '');
  }
  return { ends, labels };
};

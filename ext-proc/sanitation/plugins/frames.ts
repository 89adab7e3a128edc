// What the gateway and the process of a plug-in say to each other, as bytes. Questions carry text; answers are numbers
// and nothing else, so that there is nothing of an answer to interpret: no object, no key, no text of a plug-in's making.

import type { DetectorOptions } from '#ext-proc/sanitation/detector.ts';

/** Of one text. More are no help to anybody, and the marks for them would be longer than the text. */
export const MAX_FINDINGS = 10_000;

/** Of the sentence that says why a plug-in cannot be loaded. */
const MAX_FAULT_BYTES = 400;

const UNIT_BYTES = 2;
const WORD_BYTES = 4;
const HEAD_BYTES = 2 * WORD_BYTES;
const FINDING_BYTES = 3 * WORD_BYTES;

/** The longest answer there is. */
export const MAX_REPLY_BYTES = HEAD_BYTES + MAX_FINDINGS * FINDING_BYTES;

const TAGS = { loaded: 1, unloadable: 2, findings: 3, threw: 4, malformed: 5 } as const;

/** A finding as it travels: the place of its kind in the manifest's list. */
export type WireFinding = { readonly kind: number; readonly start: number; readonly end: number };

export type Reply =
  | { readonly kind: 'loaded' | 'threw' | 'malformed' }
  | { readonly kind: 'unloadable'; readonly why: string }
  | { readonly kind: 'findings'; readonly findings: readonly WireFinding[] };

/** One question: lengths, options as JSON, the text in UTF-16, which leaves lone surrogates what they are. */
export const encodeQuestion = (text: string, options: DetectorOptions): Buffer => {
  const settings = Buffer.from(JSON.stringify(options));
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + settings.length + UNIT_BYTES * text.length);
  bytes.writeUInt32LE(settings.length, 0);
  bytes.writeUInt32LE(UNIT_BYTES * text.length, WORD_BYTES);
  settings.copy(bytes, HEAD_BYTES);
  bytes.write(text, HEAD_BYTES + settings.length, 'utf16le');
  return bytes;
};

/**
 * Reads one question.
 * @param take gives exactly so many bytes, the next ones.
 */
export const readQuestion = (
  take: (length: number) => Buffer,
): { readonly text: string; readonly options: DetectorOptions } => {
  const head = take(HEAD_BYTES);
  const options = JSON.parse(take(head.readUInt32LE(0)).toString('utf8')) as DetectorOptions;
  return { options, text: take(head.readUInt32LE(WORD_BYTES)).toString('utf16le') };
};

const encodeWords = (words: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(WORD_BYTES * words.length);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, WORD_BYTES * index);
  return bytes;
};

export const encodeReply = (reply: Reply): Buffer => {
  if (reply.kind === 'unloadable') {
    const why = Buffer.from(reply.why).subarray(0, MAX_FAULT_BYTES);
    return Buffer.concat([encodeWords([TAGS.unloadable, why.length]), why]);
  }
  const findings = reply.kind === 'findings' ? reply.findings : [];
  const words = findings.flatMap(({ kind, start, end }) => [kind, start, end]);
  return encodeWords([TAGS[reply.kind], findings.length, ...words]);
};

const SIZES: Readonly<Record<keyof typeof TAGS, { readonly bytes: number; readonly count: number }>> = {
  loaded: { bytes: 0, count: 0 },
  threw: { bytes: 0, count: 0 },
  malformed: { bytes: 0, count: 0 },
  unloadable: { bytes: 1, count: MAX_FAULT_BYTES },
  findings: { bytes: FINDING_BYTES, count: MAX_FINDINGS },
};

const readFindings = (bytes: Buffer, count: number): readonly WireFinding[] =>
  Array.from({ length: count }, (_, index) => {
    const at = HEAD_BYTES + FINDING_BYTES * index;
    const word = (place: number) => bytes.readUInt32LE(at + WORD_BYTES * place);
    return { kind: word(0), start: word(1), end: word(2) };
  });

/** @returns `partial` while bytes are missing, `wrong` for what is no answer and for an answer with more behind it. */
export const readReply = (bytes: Buffer): Reply | 'partial' | 'wrong' => {
  if (bytes.length < HEAD_BYTES) return 'partial';
  const [tag, count] = [bytes.readUInt32LE(0), bytes.readUInt32LE(WORD_BYTES)];
  const kind = (Object.keys(TAGS) as (keyof typeof TAGS)[]).find((name) => TAGS[name] === tag);
  if (kind === undefined || count > SIZES[kind].count) return 'wrong';
  const length = HEAD_BYTES + count * SIZES[kind].bytes;
  if (bytes.length < length) return 'partial';
  if (bytes.length > length) return 'wrong';
  if (kind === 'unloadable') return { kind, why: bytes.toString('utf8', HEAD_BYTES) };
  return kind === 'findings' ? { kind, findings: readFindings(bytes, count) } : { kind };
};

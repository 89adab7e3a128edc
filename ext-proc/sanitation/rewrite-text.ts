// A text with its findings acted upon: redacted where one is to be redacted, marked where one is to be marked. Where
// findings overlap the stronger action is taken, over all that they cover.

import type { FindingAction } from '#core/response-guard.ts';
import type { Judged } from '#ext-proc/sanitation/finding-actions.ts';

type Region = { start: number; end: number; action: FindingAction; readonly found: Judged[] };

const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

/** Widened to whole characters: half of a surrogate pair is no text. */
const wholeCharacters = (text: string, { start, end }: Judged): { start: number; end: number } => ({
  start: isLow(text.charCodeAt(start)) && isHigh(text.charCodeAt(start - 1)) ? start - 1 : start,
  end: isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end)) ? end + 1 : end,
});

const regionsOf = (text: string, judged: readonly Judged[]): readonly Region[] => {
  const regions: Region[] = [];
  for (const found of judged.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const { start, end } = wholeCharacters(text, found);
    const last = regions.at(-1);
    if (last === undefined || start >= last.end) {
      regions.push({ start, end, action: found.action, found: [found] });
      continue;
    }
    last.end = Math.max(last.end, end);
    last.found.push(found);
    if (found.action === 'redact') last.action = 'redact';
  }
  return regions;
};

/** What stands in the place of what was redacted; nothing in the place of what nobody saw. */
const replacementOf = ({ found }: Region): string => {
  const seen = found.find(({ detector, action }) => action === 'redact' && detector !== 'hidden-text');
  return seen === undefined ? '' : `[redacted:${seen.kind}]`;
};

const noteOf = ({ found }: Region): string => {
  const names = new Set(found.map(({ detector, kind }) => `${detector}/${kind}`));
  return ` [flagged:${[...names].join(',')}]`;
};

/**
 * The text as it goes on; the same where nothing is done about it.
 * @param options.notes false: what is to be marked is not marked in the text itself.
 */
export const rewriteText = (
  text: string,
  judged: readonly Judged[],
  { notes }: { readonly notes: boolean },
): string => {
  const acted = judged.filter(({ action }) => action === 'redact' || (notes && action === 'mark'));
  if (acted.length === 0) return text;
  const parts: string[] = [];
  let at = 0;
  for (const region of regionsOf(text, acted)) {
    const isRedacted = region.action === 'redact';
    parts.push(text.slice(at, isRedacted ? region.start : region.end));
    parts.push(isRedacted ? replacementOf(region) : noteOf(region));
    at = region.end;
  }
  return parts.join('') + text.slice(at);
};

// The step that looks for what should not reach a model or leave with an answer, and does about it what the rules say.
// A message that no rule names passes byte for byte.

import { err, ok } from '#core/result.ts';
import { blocked, refused } from '#ext-proc/answer-fault.ts';
import { editMessage } from '#ext-proc/message/answer-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { editsOf } from '#ext-proc/sanitation/edit-texts.ts';
import { armDetectors, type Judged, judgeFinding, rulesFor } from '#ext-proc/sanitation/finding-actions.ts';
import { countFindings, type FindingReport } from '#ext-proc/sanitation/finding-report.ts';
import { metaEdits } from '#ext-proc/sanitation/findings-meta.ts';
import { rewriteText } from '#ext-proc/sanitation/rewrite-text.ts';
import { type ArmedDetector, type Found, scanText } from '#ext-proc/sanitation/scan-texts.ts';
import { collectTexts } from '#ext-proc/sanitation/texts/collect-texts.ts';
import type { TextPlace } from '#ext-proc/sanitation/texts/text-place.ts';

type JudgedPlace = { readonly place: TextPlace; readonly judged: readonly Judged[] };

/** Findings of a value that was looked at behind its name, in places of the value. */
const behindLead = (found: readonly Found[], { lead }: TextPlace): readonly Found[] =>
  lead === ''
    ? found
    : found
        .filter(({ end }) => end > lead.length)
        .map((one) => ({
          ...one,
          start: Math.max(0, one.start - lead.length),
          end: one.end - lead.length,
        }));

/** @returns undefined where a detector failed. */
const scanPlaces = async (
  places: readonly TextPlace[],
  armed: readonly ArmedDetector[],
  judge: (found: Found) => Judged,
): Promise<readonly JudgedPlace[] | undefined> => {
  const known = new Map<string, readonly Found[]>();
  const judgedPlaces: JudgedPlace[] = [];
  try {
    for (const place of places) {
      const text = place.lead + place.text;
      const found = known.get(text) ?? (await scanText(text, armed));
      known.set(text, found);
      if (found.length > 0) judgedPlaces.push({ place, judged: behindLead(found, place).map(judge) });
    }
  } catch {
    return undefined;
  }
  return judgedPlaces;
};

const rewritten = ({ place, judged }: JudgedPlace) => {
  const text = rewriteText(place.text, judged, { notes: place.isProse && !place.isKey });
  return text === place.text ? [] : [{ place, text }];
};

/**
 * @param options.detectors all there are, by the names that rules name.
 * @param options.report hears of the findings of a message.
 */
export const createSanitiseStep =
  (options: { readonly detectors: readonly Detector[]; readonly report: FindingReport }): MessageStep =>
  async (message, context) => {
    const rules = rulesFor(context);
    if (rules.length === 0) return ok(message);
    const armed = armDetectors(rules, options.detectors);
    if (armed === undefined) return err(refused('plugin_failed'));
    const places = await scanPlaces(collectTexts(message), armed, (found) => judgeFinding(found, rules));
    if (places === undefined) return err(refused('plugin_failed'));
    const counts = countFindings(places.flatMap(({ judged }) => judged));
    if (counts.length > 0) options.report(counts, context.orders);
    if (counts.some(({ action }) => action === 'block')) return err(blocked('finding'));
    const edits = [...editsOf(message, places.flatMap(rewritten)), ...metaEdits(message, counts)];
    return ok(editMessage(message, edits));
  };

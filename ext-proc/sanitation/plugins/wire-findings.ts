// Findings on their way out of a plug-in: checked beside it, where its getters and proxies may run, and once more by the
// gateway, which believes nothing of what comes out of that process.

import { isJsonObject } from '#core/json.ts';
import type { Finding } from '#ext-proc/sanitation/detector.ts';
import { MAX_FINDINGS, type WireFinding } from '#ext-proc/sanitation/plugins/frames.ts';

/** What the findings must fit. */
type Scanned = { readonly kinds: readonly string[]; readonly text: string };

const fits = (
  { kind, start, end }: { readonly [Key in keyof WireFinding]: unknown },
  { kinds, text }: Scanned,
): boolean =>
  [kind, start, end].every(Number.isInteger) &&
  (kind as number) >= 0 &&
  (kind as number) < kinds.length &&
  (start as number) >= 0 &&
  (start as number) < (end as number) &&
  (end as number) <= text.length;

/**
 * What `scan` has returned, as it travels.
 * @returns undefined for anything but a list of findings of the plug-in's own kinds, each in the text.
 * @throws whatever a getter or a proxy in it throws.
 */
export const toWireFindings = (answer: unknown, scanned: Scanned): readonly WireFinding[] | undefined => {
  if (!Array.isArray(answer)) return undefined;
  const { length } = answer;
  if (!(length <= MAX_FINDINGS)) return undefined;
  const findings: WireFinding[] = [];
  for (let index = 0; index < length; index += 1) {
    const one: unknown = answer[index];
    if (!isJsonObject(one)) return undefined;
    const { kind, start, end } = one;
    const finding = { kind: scanned.kinds.indexOf(kind as string), start, end };
    if (!fits(finding, scanned)) return undefined;
    findings.push(finding as WireFinding);
  }
  return findings;
};

/** As the gateway uses them; undefined where one is of no kind of the plug-in or not in the text. */
export const fromWireFindings = (
  findings: readonly WireFinding[],
  scanned: Scanned,
): readonly Finding[] | undefined =>
  findings.every((finding) => fits(finding, scanned))
    ? findings.map(({ kind, start, end }) => ({ kind: scanned.kinds[kind] as string, start, end }))
    : undefined;

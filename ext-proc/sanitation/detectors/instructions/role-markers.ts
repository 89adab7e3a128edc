// Marks by which the templates of chats tell who speaks: a text that holds them poses as a message of the system, of
// the user or of the assistant. Told by their exact form; markup of pages that only has such a name is let be.

import type { Finding } from '#ext-proc/sanitation/detector.ts';
import { endOfMatch } from '#ext-proc/sanitation/detectors/secrets/token-rules.ts';

type Marker = { readonly start: string; readonly form: RegExp };

const MARKERS: readonly Marker[] = [
  {
    start: '<|',
    form: /<\|(?:im_start|im_end|im_sep|start_header_id|end_header_id|eot_id|eom_id|begin_of_text|endoftext|endofprompt|system|user|assistant|channel|message|start|end)\|>/iy,
  },
  { start: '[INST]', form: /\[INST\]/y },
  { start: '[/INST]', form: /\[\/INST\]/y },
  { start: '<<SYS>>', form: /<<SYS>>/y },
  { start: '<</SYS>>', form: /<<\/SYS>>/y },
  { start: '_of_turn>', form: /_of_turn>/y },
  { start: '### ', form: /### (?:System|Assistant|Human|Instruction) ?:/y },
];

/** With the name of what a system says in it, or around a sentence. */
const TAG =
  /<\/?(?:(?:system|assistant|user)[-_ ](?:reminder|prompt|message|notice|override|instructions?)>|(?:important|system|assistant|instructions?)>(?=\s{0,8}[^<>\s]{1,40}\s{1,4}[^<>\s]{1,40}\s{1,4}[^<>\s]))/iy;
const TAG_LETTERS = /[aisu/]/i;

const findTags = (text: string, findings: Finding[]): void => {
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at + 1)) {
    if (!TAG_LETTERS.test(text[at + 1] ?? '')) continue;
    const end = endOfMatch(TAG, text, at);
    if (end !== -1) findings.push({ kind: 'role-marker', start: at, end });
  }
};

export const findRoleMarkers = (text: string): readonly Finding[] => {
  const findings: Finding[] = [];
  for (const { start, form } of MARKERS)
    for (let at = text.indexOf(start); at !== -1; at = text.indexOf(start, at + start.length)) {
      const end = endOfMatch(form, text, at);
      if (end !== -1) findings.push({ kind: 'role-marker', start: at, end });
    }
  findTags(text, findings);
  return findings;
};

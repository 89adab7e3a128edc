// Texts of a tool that speak to the model instead of describing the tool. No list of phrases is complete: what is
// plainly an attack is refused, what may be one is shown to the admin.

import type { Json } from '#core/json.ts';
import { type Reading, readingOf } from '#core/reading.ts';
import type { Tool } from '#core/server.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { textsOf } from '#registry/manifest/lint/texts.ts';

type Phrase = {
  readonly severity: Finding['severity'];
  readonly what: string;
  readonly of: keyof Reading;
  readonly form: RegExp;
};

// Gaps are short and bounded, so that no text makes the search slow.
const PHRASES: readonly Phrase[] = [
  {
    severity: 'error',
    what: 'overrides instructions',
    of: 'words',
    form: /\b(?:ignore|disregard|forget|override|(?:do not|don't|never|stop) (?:follow|obey)(?:ing)?) (?:(?:all|any|every|each|of|the|your|my|its|our|these|those|previous|previously|prior|earlier|above|preceding|existing|current|original|other|system|developer|user|given|safety|and|or) ){0,8}(?:[\w']+ ){0,3}(?:instructions?|rules|prompts?|guidelines|directives|guardrails)\b/,
  },
  {
    severity: 'error',
    what: 'asks for concealment',
    of: 'words',
    form: /\b(?:do not|don't|never|without) (?:ever )?(?:tell|inform|mention|notify|alert|reveal|telling|informing|mentioning|notifying)[a-z]* (?:[\w']+ ){0,4}users?\b|\b(?:do not|don't|never) let (?:[\w']+ ){0,3}users? (?:know|see|notice)\b|\busers? (?:must|should|may|can|shall|does|need) ?(?:not|never) (?:to )?(?:know|notice|find out|be (?:told|informed|notified|aware))\b/,
  },
  {
    severity: 'error',
    what: 'poses as a message of the system',
    of: 'text',
    form: /<\/? ?(?:important|system|instructions?|assistant|secret|admin)(?:[ !_:-]{0,3}(?:reminder|prompt|message|note|notice|override))?[ !:]{0,3}(?: [a-z-]{1,20}=[^<>]{0,40})?\/?>|\[\/?(?:inst|system)\]|<\|(?:im_start|im_end|start_header_id|end_header_id|eot_id|endoftext|system)\|>/,
  },
  {
    severity: 'error',
    what: 'asks for files of the user',
    of: 'text',
    form: /(?:~|\$home|\$\{home\}|%userprofile%|\/root|\/home\/[\w.-]{1,64})[\\/]\.(?:ssh|aws|azure|cursor|config|docker|gnupg|kube|netrc)|\bid_(?:rsa|dsa|ecdsa|ed25519)\b|\/etc\/(?:passwd|shadow)|\bmcp\.json\b/,
  },
  {
    severity: 'warning',
    what: 'gives an order about other tools',
    of: 'words',
    form: /\b(?:before|instead of|after|when) (?:using|calling|invoking) (?:any|every|all|another|other|the) (?:[\w'-]+ ){0,2}tools?\b/,
  },
  {
    severity: 'warning',
    what: 'gives an order to the model',
    of: 'text',
    form: /\b(?:you must|you should always|always call|make sure to (?:call|include|send)|important: |from now on|new instructions|you are now)/,
  },
  {
    severity: 'warning',
    what: 'asks for concealment',
    of: 'words',
    form: /\b(?:hide|conceal|keep|withhold) (?:[\w']+ ){0,5}from (?:the |your |our )?users?\b|\bkeep (?:this|it|that) (?:a )?secret\b/,
  },
  { severity: 'warning', what: 'speaks of the prompt of the system', of: 'words', form: /\bsystem prompt\b/ },
  {
    severity: 'warning',
    what: 'asks for the conversation',
    of: 'words',
    form: /\b(?:conversation|chat) (?:history|context|transcript)\b/,
  },
  {
    severity: 'warning',
    what: 'holds a comment, which a page does not show',
    of: 'text',
    form: /<!--/,
  },
  {
    severity: 'warning',
    what: 'holds what looks like an encoded text',
    of: 'text',
    form: /\b[A-Za-z0-9+/]{120,}={0,2}/i,
  },
];

/** What a text of a tool says to the model, in words; empty: it describes. */
export const instructionsIn = (text: string): readonly Pick<Phrase, 'severity' | 'what'>[] => {
  const reading = readingOf(text);
  return PHRASES.filter(({ of, form }) => form.test(reading[of]));
};

const lintText = (pointer: string, text: string): Finding[] =>
  instructionsIn(text).map(({ severity, what }) => ({
    severity,
    code: 'instruction-text',
    pointer,
    message: `${what}; a text of a tool says what the tool does`,
  }));

/** Everything of a tool that reaches a model: descriptions, titles, schemas with their defaults and choices. */
export const lintInstructions = (tool: Tool, pointer: string): Finding[] =>
  [...textsOf(tool as unknown as Json, pointer)].flatMap((found) => lintText(found.pointer, found.text));

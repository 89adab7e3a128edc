// Texts of a tool that speak to the model instead of describing the tool. No list of phrases is complete: what is
// plainly an attack is refused, what may be one is shown to the admin.

import type { Json } from '#core/json.ts';
import type { Tool } from '#core/server.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { textsOf } from '#registry/manifest/lint/texts.ts';

type Phrase = { readonly severity: Finding['severity']; readonly what: string; readonly form: RegExp };

// Gaps are short and bounded, so that no text makes the search slow.
const PHRASES: readonly Phrase[] = [
  {
    severity: 'error',
    what: 'overrides instructions',
    form: /\b(?:ignore|disregard|forget|override) (?:[\w']+ ){0,3}(?:instructions?|rules|prompts?|guidelines)\b/,
  },
  {
    severity: 'error',
    what: 'asks for concealment',
    form: /\b(?:do not|don't|never|without) (?:ever )?(?:tell|inform|mention|notify|alert|reveal|telling|informing|mentioning|notifying)[a-z]* (?:[\w']+ ){0,4}user\b/,
  },
  {
    severity: 'error',
    what: 'poses as a message of the system',
    form: /<\/?(?:important|system|instructions?|assistant|secret|admin)>|\[\/?(?:inst|system)\]|<\|(?:im_start|im_end|system)\|>/,
  },
  {
    severity: 'error',
    what: 'asks for files of the user',
    form: /~\/\.(?:ssh|aws|cursor|config|kube|netrc)|\bid_rsa\b|\/etc\/passwd|\bmcp\.json\b/,
  },
  {
    severity: 'warning',
    what: 'gives an order about other tools',
    form: /\b(?:before|instead of|after|when) (?:using|calling|invoking) (?:any|every|all|another|other|the) (?:[\w-]+ ){0,2}tools?\b/,
  },
  {
    severity: 'warning',
    what: 'gives an order to the model',
    form: /\b(?:you must|you should always|always call|make sure to (?:call|include|send)|important: )/,
  },
  { severity: 'warning', what: 'speaks of the prompt of the system', form: /\bsystem prompt\b/ },
  {
    severity: 'warning',
    what: 'asks for the conversation',
    form: /\b(?:conversation|chat) (?:history|context|transcript)\b/,
  },
  {
    severity: 'warning',
    what: 'holds what looks like an encoded text',
    form: /\b[A-Za-z0-9+/]{120,}={0,2}/i,
  },
];

const STYLED = /[^\p{ASCII}]/u;

/** NFKC sorts combining marks in quadratic time, minutes for a megabyte of them: long texts are folded in pieces. */
const FOLDED_AT_ONCE = 2_048;

const unstyled = (text: string): string => {
  if (!STYLED.test(text)) return text;
  let folded = '';
  for (let at = 0; at < text.length; at += FOLDED_AT_ONCE)
    folded += text.slice(at, at + FOLDED_AT_ONCE).normalize('NFKC');
  return folded;
};

/** As a model reads it: styled letters as plain ones, one space between words, no case. */
const plain = (text: string): string =>
  unstyled(text).replaceAll('\u2019', "'").replace(/\s+/g, ' ').toLowerCase();

const lintText = (pointer: string, text: string): Finding[] => {
  const read = plain(text);
  return PHRASES.filter(({ form }) => form.test(read)).map(({ severity, what }) => ({
    severity,
    code: 'instruction-text',
    pointer,
    message: `${what}; a text of a tool says what the tool does`,
  }));
};

/** Everything of a tool that reaches a model: descriptions, titles, schemas with their defaults and choices. */
export const lintInstructions = (tool: Tool, pointer: string): Finding[] =>
  [...textsOf(tool as unknown as Json, pointer)].flatMap((found) => lintText(found.pointer, found.text));

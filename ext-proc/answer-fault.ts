// Why an answer was not passed, in one closed list: the client hears the reason's sentence, the log also the fault.

import type { Reason } from '#core/reason.ts';

export type AnswerFaultKind =
  // The frame around the messages.
  | 'redirect'
  | 'protocol_change'
  | 'content_encoding'
  | 'media_type'
  | 'unexpected_body'
  | 'body_not_utf8'
  | 'body_too_large'
  | 'event_too_large'
  | 'decoded_too_large'
  | 'held_bytes_exhausted'
  | 'trailers_before_end'
  // What was to be done with it.
  | 'orders_invalid'
  | 'rules_unknown'
  // The session it opens.
  | 'session_id'
  | 'replica_unknown'
  // A message in it.
  | 'json_invalid'
  | 'json_duplicate_key'
  | 'json_ambiguous_key'
  | 'json_too_deep'
  | 'message_shape'
  | 'stray_result'
  | 'key_variant'
  // A list in a message.
  | 'list_shape'
  | 'entry_shape'
  | 'entry_repeated'
  // What a rule says of a message.
  | 'schema'
  | 'message_id'
  | 'finding'
  | 'redaction'
  | 'header_change'
  | 'plugin_failed'
  | 'request_state';

export type AnswerFault = {
  readonly reason: Extract<
    Reason,
    'answer_refused' | 'answer_too_large' | 'output_invalid' | 'answer_blocked'
  >;
  readonly fault: AnswerFaultKind;
};

/** An answer that cannot be checked. */
export const refused = (fault: AnswerFaultKind): AnswerFault => ({ reason: 'answer_refused', fault });

/** An answer that is not what was approved. */
export const unfit = (fault: AnswerFaultKind): AnswerFault => ({ reason: 'output_invalid', fault });

/** An answer with something in it that a rule keeps back. */
export const blocked = (fault: AnswerFaultKind): AnswerFault => ({ reason: 'answer_blocked', fault });

/** An answer that is too large to be checked. */
export const tooLarge = (fault: AnswerFaultKind): AnswerFault => ({ reason: 'answer_too_large', fault });

/**
 * What stands between us and a message, rather than in it: a tenant may let pass what is in its way here. JSON that can be
 * read in two ways was written to be, and a body that bursts or exhausts its reader is kept from clients too.
 */
const UNREADABLE: ReadonlySet<AnswerFaultKind> = new Set([
  'content_encoding',
  'media_type',
  'unexpected_body',
  'body_not_utf8',
  'body_too_large',
  'event_too_large',
  'json_invalid',
]);

/** True for a fault that the mode for unreadable answers is about (core/response-guard.ts). */
export const isUnreadable = ({ fault }: AnswerFault): boolean => UNREADABLE.has(fault);

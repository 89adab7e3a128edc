// Redaction of one message: its structured content first, then every text in it, so that no text repeats what the
// structured content no longer says.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import { err, ok, type Result } from '#core/result.ts';
import { isSameJson } from '#core/same-json.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { LIST_KINDS } from '#ext-proc/lists/cut-list.ts';
import { type AnswerMessage, editMessage } from '#ext-proc/message/answer-message.ts';
import { editJson, type JsonEdit } from '#ext-proc/message/edit-json.ts';
import {
  type FitsSchema,
  type RedactedStructure,
  redactStructured,
} from '#ext-proc/transforms/redact-structured.ts';
import { createTextRedactor, documentIn } from '#ext-proc/transforms/redact-text.ts';
import { redactData, redactDescribed, type TextRedactor } from '#ext-proc/transforms/redact-values.ts';
import type { RedactionPlan } from '#ext-proc/transforms/redaction-plan.ts';
import type { Tally } from '#ext-proc/transforms/taken-values.ts';

export type RedactionTools = {
  readonly plan: RedactionPlan;
  readonly fits: FitsSchema | undefined;
  readonly tally: Tally;
  readonly isErrorBody: boolean;
};

const STRUCTURED = 'structuredContent';

/** Judged by steps of their own (lists, sealing), or asked of the user: no text of a tool. */
const OTHERS = ['requestState', 'inputRequests', ...LIST_KINDS];

const NOTHING: RedactedStructure = { edits: [], taken: [] };

/** Servers repeat the structured content as a text (MCP 2025-11-25, structured content): the same edits are made there. */
const repeatingText =
  (structured: Json | undefined, { edits }: RedactedStructure, redactor: TextRedactor) =>
  (text: string): string => {
    const document = structured === undefined ? undefined : documentIn(text);
    return document !== undefined && isSameJson(document, structured)
      ? editJson(text, edits)
      : redactor.text(text);
  };

const redactResult = (
  result: JsonObject,
  tools: RedactionTools,
): Result<readonly JsonEdit[], AnswerFault> => {
  // A client that takes the one name for the other would read what no pointer has led into.
  if (findKeyVariant(result, [STRUCTURED]) !== undefined) return err(refused('key_variant'));
  const structured = Object.hasOwn(result, STRUCTURED) ? result[STRUCTURED] : undefined;
  const structure = structured === undefined ? ok(NOTHING) : redactStructured(structured, tools);
  if (!structure.ok) return structure;
  const { edits, taken } = structure.value;
  const texts = createTextRedactor(tools.plan.patterns, taken, tools.tally);
  const redactor = { ...texts, text: repeatingText(structured, structure.value, texts) };
  const described = Object.fromEntries(
    Object.entries(result).filter(([name]) => name !== STRUCTURED && !OTHERS.includes(name)),
  );
  return ok([
    ...edits.map((edit) => ({ ...edit, path: ['result', STRUCTURED, ...edit.path] })),
    ...redactDescribed(described, redactor, ['result']),
  ]);
};

/**
 * @returns the message, the same where nothing in it is redacted; fault `redaction` where its schema leaves no room.
 * Requests and notifications of a server pass untouched; the body of an HTTP error is neither, whatever it looks like.
 */
export const redactMessage = (
  message: AnswerMessage,
  tools: RedactionTools,
): Result<AnswerMessage, AnswerFault> => {
  const { jsonrpc: _version, id: _id, result, ...rest } = message.value;
  // Beside an error, or a result, a method is refused when the message is read; in an error body it makes no request.
  if (!tools.isErrorBody && Object.hasOwn(rest, 'method')) return ok(message);
  const texts = createTextRedactor(tools.plan.patterns, [], tools.tally);
  const { error, ...beyond } = rest;
  const answersNothing = result === undefined && error === undefined;
  // Only an answer has an id of the protocol's: in any other error body it is data, as `{"id":"alice@…"}`.
  const others = tools.isErrorBody && answersNothing ? message.value : beyond;
  const beside = [
    ...(error === undefined ? [] : redactDescribed(error, texts, ['error'])),
    ...redactData(others, texts),
  ];
  if (!isJsonObject(result)) {
    const loose = result === undefined ? [] : redactData(result, texts, ['result']);
    return ok(editMessage(message, [...beside, ...loose]));
  }
  const edits = redactResult(result, tools);
  return edits.ok ? ok(editMessage(message, [...beside, ...edits.value])) : edits;
};

// Redaction of JSON values, as edits of the places where something is found. Data of the server's own making is searched
// whole; of what MCP gives a meaning, the words of the protocol and binary content stay.

import { isJsonObject, type Json } from '#core/json.ts';
import { isBinary } from '#ext-proc/message/binary-content.ts';
import type { JsonEdit, JsonPath } from '#ext-proc/message/edit-json.ts';

export type TextRedactor = {
  /** A text as it goes on. */
  readonly text: (text: string) => string;
  /** The same of what is never a JSON document: names of members, numbers. */
  readonly plain: (text: string) => string;
};

const editString = (text: string, path: JsonPath, redact: (text: string) => string): readonly JsonEdit[] => {
  const redacted = redact(text);
  return redacted === text ? [] : [{ path, value: redacted }];
};

const editsWithin = (
  value: readonly Json[],
  path: JsonPath,
  visit: (value: Json, path: JsonPath) => readonly JsonEdit[],
): readonly JsonEdit[] => value.flatMap((item, at) => visit(item, [...path, at]));

/**
 * Data without a meaning to MCP: strings, numbers as they are written, and names of members. A member whose name is
 * found goes with its value: two names that are redacted could become one.
 */
export const redactData = (value: Json, redactor: TextRedactor, path: JsonPath = []): readonly JsonEdit[] => {
  if (typeof value === 'string') return editString(value, path, redactor.text);
  if (typeof value === 'number') return editString(String(value), path, redactor.plain);
  if (Array.isArray(value)) return editsWithin(value, path, (item, at) => redactData(item, redactor, at));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = [...path, name];
    return redactor.plain(name) === name
      ? redactData(member, redactor, at)
      : [{ path: at, value: undefined }];
  });
};

/** Words of MCP's own: a client that does not find them cannot read the message. */
const PROTOCOL_WORDS: Readonly<Record<string, readonly string[]>> = {
  type: ['text', 'image', 'audio', 'resource', 'resource_link'],
  role: ['user', 'assistant'],
  resultType: ['complete', 'input_required'],
};

/** The server's own, beside what MCP describes. */
const DATA_MEMBERS = ['_meta', 'data'];

const isProtocolWord = (name: string, value: Json): boolean =>
  typeof value === 'string' &&
  Object.hasOwn(PROTOCOL_WORDS, name) &&
  PROTOCOL_WORDS[name]?.includes(value) === true;

/** What MCP describes: content, resources, links, errors. Names of members stay, and so do numbers. */
export const redactDescribed = (value: Json, redactor: TextRedactor, path: JsonPath): readonly JsonEdit[] => {
  if (typeof value === 'string') return editString(value, path, redactor.text);
  if (Array.isArray(value))
    return editsWithin(value, path, (item, at) => redactDescribed(item, redactor, at));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (isProtocolWord(name, member) || isBinary(name, member, value)) return [];
    const isData = DATA_MEMBERS.includes(name) && typeof member !== 'string';
    return (isData ? redactData : redactDescribed)(member, redactor, [...path, name]);
  });
};

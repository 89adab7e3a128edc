// Every text of a message: what a model or a person may read of it, and the names and values of data. Left out are the
// words of the protocol, cursors and what is sealed, and base64 of images, audio and blobs.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { parseStrictJson, RESPONSE_RULES } from '#core/strict-json.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import { isBinary } from '#ext-proc/message/binary-content.ts';
import type { JsonPath } from '#ext-proc/message/edit-json.ts';
import { namesSecret } from '#ext-proc/sanitation/detectors/secrets/named-values.ts';
import type { TextPlace } from '#ext-proc/sanitation/texts/text-place.ts';

/** Members with words of the protocol or of its machinery (MCP 2025-11-25 and 2026-07-28, schema). */
const PROTOCOL: ReadonlySet<string> = new Set([
  'type',
  'mimeType',
  'role',
  'resultType',
  'nextCursor',
  'requestState',
  'progressToken',
  'requestId',
  'taskId',
  'cacheScope',
  'level',
  'protocolVersion',
]);

/** Members that hold data of a server's own form: every string and every name in it is a text. */
const DATA: ReadonlySet<string> = new Set([
  'structuredContent',
  'data',
  '_meta',
  'inputSchema',
  'outputSchema',
  'requestedSchema',
  'arguments',
  'metadata',
]);

/** Members that people and models read. */
const PROSE: ReadonlySet<string> = new Set(['text', 'description', 'title', 'message', 'instructions']);

/** Integers of fewer digits are no number of a card, an account or a person. */
const MIN_NUMBER = 10_000_000;

type Walk = {
  readonly places: TextPlace[];
  /** True: the JSON text in content repeats structured content, and programs may read either. */
  readonly isStructured: boolean;
};

type Data = { readonly path: JsonPath; readonly inner?: JsonPath; readonly isProse: boolean };

const below = (place: Data, step: string | number): Data =>
  place.inner === undefined
    ? { ...place, path: [...place.path, step] }
    : { ...place, inner: [...place.inner, step] };

const leadOf = (name: string | undefined): string =>
  name !== undefined && namesSecret(name) ? `${name}: ` : '';

/** The texts of data. Its depth is bounded by the parser it came from. */
const walkData = (walk: Walk, value: Json, place: Data, name?: string): void => {
  const { places } = walk;
  const text = { ...place, isKey: false, lead: leadOf(name) };
  if (typeof value === 'string') places.push({ ...text, text: value });
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= MIN_NUMBER)
      places.push({ ...text, text: String(value), isProse: false });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walkData(walk, item as Json, below(place, index), name);
  } else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      const at = below(place, key);
      places.push({ ...at, text: key, isKey: true, isProse: false, lead: '' });
      walkData(walk, member, at, key);
    }
  }
};

const JSON_START = /^\s{0,64}[[{]/;

/** The value of a text that is JSON and can be read in one way only. */
const readJsonText = (text: string): JsonObject | readonly Json[] | undefined => {
  if (!JSON_START.test(text)) return undefined;
  const parsed = parseStrictJson(Buffer.from(text), RESPONSE_RULES);
  if (!parsed.ok) return undefined;
  return parsed.value as JsonObject | readonly Json[];
};

const addText = (walk: Walk, name: string, text: string, path: JsonPath): void => {
  const isProse = PROSE.has(name);
  const json = name === 'text' ? readJsonText(text) : undefined;
  if (json === undefined) walk.places.push({ path, text, isKey: false, isProse, lead: '' });
  else walkData(walk, json as Json, { path, inner: [], isProse: !walk.isStructured });
};

/** The protocol has no object and no list in these places: what is in one is the server's own. */
const isProtocol = (name: string, member: Json): boolean => PROTOCOL.has(name) && typeof member !== 'object';

const walkProtocol = (walk: Walk, value: JsonObject, path: JsonPath): void => {
  for (const [name, member] of Object.entries(value)) {
    const at = [...path, name];
    if (isProtocol(name, member) || isBinary(name, member, value)) continue;
    if (DATA.has(name)) walkData(walk, member, { path: at, isProse: false });
    else walkMember(walk, name, member, at);
  }
};

const walkMember = (walk: Walk, name: string, member: Json, path: JsonPath): void => {
  if (typeof member === 'string') addText(walk, name, member, path);
  else if (Array.isArray(member)) {
    for (const [index, item] of member.entries()) walkMember(walk, name, item as Json, [...path, index]);
  } else if (isJsonObject(member)) walkProtocol(walk, member, path);
};

const ROOTS = ['result', 'params', 'error'] as const;

/** The texts of a message, each with its place. */
export const collectTexts = ({ value }: AnswerMessage): readonly TextPlace[] => {
  const places: TextPlace[] = [];
  for (const root of ROOTS) {
    const part = value[root];
    if (!isJsonObject(part)) continue;
    const isStructured = Object.hasOwn(part, 'structuredContent');
    walkProtocol({ places, isStructured }, part, [root]);
  }
  return places;
};

// Lists that were read already, by the bytes they came in. A server gives the same list to each of its clients, and a strict
// reading of it costs more than all that is judged in it; what differs from one to the next is the id of the call. A list
// that is known but for its id is the message that was read, with that id: what is judged is judged anew on every call.

import { Buffer } from 'node:buffer';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { JsonRpcId } from '#core/mcp-call.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import { endOfValue, type Span, startOfRoot, walkMembers } from '#ext-proc/message/json-spans.ts';

/** UTF-8 bytes of all lists that are kept; as values they take about six times as much. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Of one list. A longer one would push out many for one. */
const MAX_LIST_BYTES = 512 * 1024;

/** Of one version of a server: pages, lists of other kinds, replicas that are not of one mind. */
const MAX_LISTS = 8;

/** Ids that have one reading, in ASCII alone: one scalar in the place of another leaves the text around it what it was. */
const PLAIN_ID = /^(?:0|[1-9]\d{0,14}|"[A-Za-z0-9_.:-]{0,64}")$/;
const MAX_ID_BYTES = 66;

type ListPlace = Pick<GuardOrders, 'tenantId' | 'serverId' | 'version'>;

/** What stands before the id and behind it, as bytes and as text. */
type KnownList = {
  readonly before: Buffer;
  readonly after: Buffer;
  readonly message: AnswerMessage;
  readonly id: Span;
};

export type ListMemory = {
  /** The message of these bytes, which `readAnswerMessage` would read in the same words; undefined where they are not known. */
  recall(bytes: Uint8Array, place: ListPlace): AnswerMessage | undefined;
  /** @param message the list that a strict reading of `bytes` gave; no step may change its value. */
  keep(bytes: Uint8Array, message: AnswerMessage, place: ListPlace): void;
};

const sizeOf = ({ before, after }: KnownList): number => before.length + after.length;

/** Where the id of a message stands, if it is a plain one. */
const spanOfId = (text: string): Span | undefined => {
  let span: Span | undefined;
  walkMembers(text, startOfRoot(text), (key, start) => {
    const end = endOfValue(text, start);
    if (key === 'id' && PLAIN_ID.test(text.slice(start, end))) span = { start, end };
    return end;
  });
  return span;
};

const knownList = (bytes: Uint8Array, message: AnswerMessage): KnownList | undefined => {
  const id = spanOfId(message.text);
  if (id === undefined) return undefined;
  const from = Buffer.byteLength(message.text.slice(0, id.start));
  // Copies: what is held must not hold the buffers of the transport.
  const before = Buffer.from(bytes.subarray(0, from));
  return { before, after: Buffer.from(bytes.subarray(from + id.end - id.start)), message, id };
};

/** The literal in the place of the id, where all else is the same. */
const idIn = (bytes: Buffer, { before, after }: KnownList): string | undefined => {
  const behind = bytes.length - after.length;
  const length = behind - before.length;
  if (length < 1 || length > MAX_ID_BYTES) return undefined;
  if (bytes.compare(before, 0, before.length, 0, before.length) !== 0) return undefined;
  if (bytes.compare(after, 0, after.length, behind, bytes.length) !== 0) return undefined;
  const literal = bytes.toString('latin1', before.length, behind);
  return PLAIN_ID.test(literal) ? literal : undefined;
};

const withId = ({ message, id }: KnownList, literal: string): AnswerMessage => ({
  text: message.text.slice(0, id.start) + literal + message.text.slice(id.end),
  value: { ...message.value, id: JSON.parse(literal) as JsonRpcId },
});

/** A memory that forgets first the server that was longest not asked. By server, so that none learns what another lists. */
export const createListMemory = (maxBytes = MAX_BYTES): ListMemory => {
  const servers = new Map<string, readonly KnownList[]>();
  let held = 0;
  const keyOf = ({ tenantId, serverId, version }: ListPlace): string =>
    JSON.stringify([tenantId, serverId, version]);
  const bytesOf = (lists: readonly KnownList[]): number => lists.reduce((sum, list) => sum + sizeOf(list), 0);
  const put = (key: string, lists: readonly KnownList[]): void => {
    held += bytesOf(lists) - bytesOf(servers.get(key) ?? []);
    servers.delete(key);
    servers.set(key, lists);
    for (const [oldest, its] of servers) {
      if (held <= maxBytes) return;
      held -= bytesOf(its);
      servers.delete(oldest);
    }
  };
  return {
    recall: (bytes, place) => {
      const key = keyOf(place);
      const lists = servers.get(key);
      if (lists === undefined) return undefined;
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      for (const list of lists) {
        const literal = idIn(body, list);
        if (literal === undefined) continue;
        servers.delete(key);
        servers.set(key, lists);
        return withId(list, literal);
      }
      return undefined;
    },
    keep: (bytes, message, place) => {
      if (bytes.length > MAX_LIST_BYTES) return;
      const list = knownList(bytes, message);
      const key = keyOf(place);
      if (list !== undefined) put(key, [list, ...(servers.get(key) ?? [])].slice(0, MAX_LISTS));
    },
  };
};

// What became of a call, read from what its client heard: it worked, it was refused in words, its connection broke, or the
// answer is one that must never be.

import { REASONS, type Reason } from '#core/reason.ts';
import type { Call } from '#test/chaos/calls.ts';
import { LENT_TOOL } from '#test/chaos/people.ts';
import { visibleTools } from '#test/chaos/tenants.ts';
import type { Heard } from '#test/support/http-clients.ts';

export type Verdict =
  /** `lists`: the tools it shows, where it is a list. */
  | { readonly kind: 'worked'; readonly lists?: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly requestId?: string }
  | { readonly kind: 'broken'; readonly how: string }
  /** A violation, whatever the fault. */
  | { readonly kind: 'wrong'; readonly what: string };

/** What an event of the servers here says; `sent`: which of its call it is, from 1. */
type EventData = { readonly oid?: string; readonly call?: string; readonly sent?: number };

type Message = {
  readonly id?: unknown;
  readonly result?: {
    readonly content?: readonly { readonly text?: string }[];
    readonly tools?: readonly { readonly name: string }[];
  };
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
  readonly params?: { readonly data?: EventData };
};

/** Whatever the moment. */
const mustBeRefused = ({ expect }: Call): boolean => expect !== 'allowed' && expect !== 'as lent';

const GAP = 'a stream lacks events or repeats them';

const WORKED: Verdict = { kind: 'worked' };

const wrong = (what: string): Verdict => ({ kind: 'wrong', what });
const broken = (how: string): Verdict => ({ kind: 'broken', how });

const parse = (text: string): Message | undefined => {
  try {
    return JSON.parse(text) as Message;
  } catch {
    return undefined;
  }
};

/** Messages of a body; undefined where a whole line or body is no JSON. */
const messagesIn = ({ headers, text, end }: Heard): readonly Message[] | undefined => {
  const isStream = String(headers['content-type'] ?? '').startsWith('text/event-stream');
  if (!isStream) return [parse(text)].filter((message) => message !== undefined);
  // The last event of a stream that was cut may be half of one.
  const events = text.split('\n\n').slice(0, -1);
  const data = events.flatMap((event) => event.split('\n').filter((line) => line.startsWith('data:')));
  const messages = data.map((line) => parse(line.slice('data:'.length)));
  const isGood = messages.every((message) => message !== undefined);
  return isGood || end !== 'whole' ? messages.filter((message) => message !== undefined) : undefined;
};

const isReason = (value: unknown): value is Reason =>
  typeof value === 'string' && Object.hasOwn(REASONS, value);

type RefusalData = { readonly reason?: unknown; readonly requestId?: unknown };

const typeOf = ({ headers }: Heard): string => String(headers['content-type'] ?? '').split(';', 1)[0] ?? '';

/** How a refusal came otherwise than its reason wants; undefined: it came as promised. */
const faultOfForm = (heard: Heard, reason: Reason): string | undefined => {
  const { httpStatus, delivery } = REASONS[reason];
  const isStream = heard.status === 200 && heard.text.startsWith('event:');
  if (heard.status !== httpStatus && !isStream) return `with status ${heard.status}`;
  // What is not declared as JSON no client reads as the refusal that it is, and a browser may show it as a page.
  if (typeOf(heard) !== (isStream ? 'text/event-stream' : 'application/json')) return `as ${typeOf(heard)}`;
  return delivery === 'challenge' && heard.headers['www-authenticate'] === undefined
    ? 'without a challenge'
    : undefined;
};

/** A refusal as promised: JSON-RPC, a reason from the list, its code and its HTTP status. */
const judgeRefusal = (call: Call, heard: Heard, { id, error }: Message): Verdict => {
  const { reason, requestId } = (error?.data ?? {}) as RefusalData;
  if (!isReason(reason)) return wrong(`an error without a reason of the list (status ${heard.status})`);
  if (error?.code !== REASONS[reason].jsonRpcCode || typeof error.message !== 'string')
    return wrong(`${reason} with code ${String(error?.code)}`);
  const fault = faultOfForm(heard, reason);
  if (fault !== undefined) return wrong(`${reason} ${fault}`);
  if (id !== call.id && id !== null) return wrong(`${reason} for the id of another call`);
  return { kind: 'refused', reason, ...(typeof requestId === 'string' ? { requestId } : {}) };
};

const isOfCall = (
  call: Call,
  { oid, call: id }: { readonly oid?: string; readonly call?: string },
): boolean => oid === call.caller.user.oid && (id === undefined || id === call.id);

const judgeList = (call: Call, tools: readonly { readonly name: string }[]): Verdict => {
  const { borrows, mayErase } = call.caller;
  const names = tools.map(({ name }) => name).toSorted();
  const lasting = names.filter((name) => !borrows || name !== LENT_TOOL);
  const wanted = [...visibleTools(mayErase)].toSorted();
  return JSON.stringify(lasting) === JSON.stringify(wanted)
    ? { kind: 'worked', lists: names }
    : wrong(`a list of ${names.join(', ')}`);
};

const judgeResult = (call: Call, message: Message): Verdict => {
  if (mustBeRefused(call)) return wrong(`${call.kind}: answered, though it is not allowed`);
  if (message.id !== call.id) return wrong('the answer has the id of another call');
  if (call.method === 'tools/list') return judgeList(call, message.result?.tools ?? []);
  const said = parse(message.result?.content?.[0]?.text ?? '') as {
    readonly oid?: string;
    readonly call?: string;
  };
  return isOfCall(call, said ?? {}) ? WORKED : wrong('the answer is that of another call or caller');
};

/** Events that a stream began and did not get before its result. */
const lacksEvents = ({ events, method }: Call, messages: readonly Message[]): boolean =>
  method === 'tools/call' && messages.filter(({ params }) => params?.data !== undefined).length < events;

/** What events of a stream must not be, whether it ends well or not. */
const judgeEvents = (call: Call, messages: readonly Message[]): Verdict | undefined => {
  const events = messages.flatMap(({ params }) => params?.data ?? []);
  if (events.length > 0 && mustBeRefused(call))
    return wrong(`${call.kind}: events, though it is not allowed`);
  if (!events.every((data) => isOfCall(call, data))) return wrong('an event of another call or caller');
  // A stream may break and not have gaps: nobody asks again for an event that he does not know of.
  const numbers = events.flatMap(({ sent }) => sent ?? []);
  return numbers.every((number, index) => number === index + 1) ? undefined : wrong(GAP);
};

/** A stream of the older era is listened to for a while and then left. */
const judgeListening = (heard: Heard, messages: readonly Message[]): Verdict => {
  if (heard.status === 200 && heard.end === 'timeout') return messages.length > 0 ? WORKED : broken('silent');
  return broken(heard.end === 'whole' ? 'ended' : heard.end);
};

/** What became of the call. */
export const judge = (call: Call, heard: Heard): Verdict => {
  const messages = messagesIn(heard);
  if (messages === undefined) return wrong('an event that is not JSON');
  const fault = judgeEvents(call, messages);
  if (fault !== undefined) return fault;
  const last = messages.findLast(({ result, error }) => result !== undefined || error !== undefined);
  if (last?.result !== undefined) {
    const verdict = judgeResult(call, last);
    return verdict.kind === 'worked' && lacksEvents(call, messages) ? wrong(GAP) : verdict;
  }
  if (last?.error !== undefined) return judgeRefusal(call, heard, last);
  if (call.method === 'listen') return judgeListening(heard, messages);
  if (heard.end !== 'whole') return broken(heard.end);
  return wrong(`status ${heard.status} with neither an answer nor a refusal`);
};

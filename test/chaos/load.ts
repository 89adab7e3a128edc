// What the constant load of chaos sends: the calls of the plan, over the client and in the session of their callers, and a few
// long streams. Everything that comes of it goes to the oracle.

import { judge, type Verdict } from '#test/chaos/answers.ts';
import { bodyOf, type Call, type Caller, headersOf, pathOf } from '#test/chaos/calls.ts';
import type { Oracle } from '#test/chaos/oracle.ts';
import { type Plan, STOLEN } from '#test/chaos/plan.ts';
import { createSessions } from '#test/chaos/sessions.ts';
import { startConstantLoad } from '#test/support/constant-load.ts';
import { createClient, type Heard, type HttpClient } from '#test/support/http-clients.ts';

export type Load = {
  /** Age of the oldest call without an answer, streams left out, milliseconds. */
  oldestMs(): number;
  /** Starts no more and waits for those that are out. */
  stop(): Promise<void>;
};

export type LoadOptions = {
  /** Of the gateway, e.g. `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly plan: Plan;
  readonly oracle: Oracle;
  /** Calls a second. */
  readonly rate: number;
  /** Streams of a minute that are open all the time. */
  readonly longStreams: number;
};

/** A call that has no answer by then is given up; what the gateway may take in its worst moment is less. */
const CALL_MS = 6_000;
const LISTEN_MS = 4_000;
const EVENT_MS = 200;
const LONG_STREAM_EVENTS = 300;

const limitOf = (call: Call): number =>
  call.method === 'listen' ? LISTEN_MS : CALL_MS + 2 * call.events * EVENT_MS;

const createSender = (origin: string) => {
  const clients = { '1.1': createClient('1.1', origin), '2': createClient('2', origin) };
  const clientOf = ({ version }: Caller): HttpClient => clients[version];
  const sessions = createSessions(clientOf, CALL_MS);

  const exchange = (call: Call, session: string | undefined): Promise<Heard> => {
    const body = bodyOf(call);
    return clientOf(call.caller).exchange({
      method: call.method === 'listen' ? 'GET' : 'POST',
      path: pathOf(call),
      headers: headersOf(call, session),
      limitMs: limitOf(call),
      ...(body === undefined ? {} : { body }),
    });
  };

  const sessionFor = async (call: Call): Promise<string | Heard | undefined> => {
    if (call.caller.era === 'stateless') return undefined;
    return call.kind === STOLEN ? sessions.ofAnother(call.caller) : sessions.of(call);
  };

  /** @returns undefined where there was nothing to send. */
  const send = async (call: Call): Promise<Verdict | undefined> => {
    const session = await sessionFor(call);
    if (call.kind === STOLEN && session === undefined) return undefined;
    // Opening a session is allowed to everybody, whatever is wrong with the call.
    if (typeof session === 'object')
      return judge({ ...call, id: `${call.id}-open`, expect: 'allowed' }, session);
    const verdict = judge(call, await exchange(call, session));
    const isForgotten = verdict.kind === 'refused' && verdict.reason === 'session_unknown';
    if (isForgotten && call.kind !== STOLEN) sessions.drop(call.caller);
    return verdict;
  };

  const close = (): void => {
    for (const client of Object.values(clients)) client.close();
  };
  return { send, close };
};

/** Starts it. */
export const startLoad = ({ origin, plan, oracle, rate, longStreams }: LoadOptions): Load => {
  const sender = createSender(origin);
  /** When plain calls began that have no answer yet; a set keeps them in that order. */
  const waiting = new Set<{ readonly startedAt: number }>();
  let isClosed = false;

  const run = async (call: Call): Promise<void> => {
    oracle.sent(call);
    const startedAt = Date.now();
    const wait = { startedAt };
    if (call.events === 0 && call.method !== 'listen') waiting.add(wait);
    const verdict = await sender.send(call);
    waiting.delete(wait);
    if (verdict !== undefined && !isClosed) oracle.ended(call, startedAt, verdict);
  };
  const stop = startConstantLoad({
    rate,
    call: () => run(plan.next()),
    streams: Array.from({ length: longStreams }, () => () => run(plan.longStream(LONG_STREAM_EVENTS))),
    patienceMs: CALL_MS,
  });

  return {
    oldestMs: () => {
      const [oldest] = waiting;
      return oldest === undefined ? 0 : Date.now() - oldest.startedAt;
    },
    stop: async () => {
      await stop();
      isClosed = true;
      sender.close();
    },
  };
};

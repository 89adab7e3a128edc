// A request on its way to a server, as a conversation with Envoy: one message, the whole body, and one reply. Only requests
// come here whose `requestState` ext-authz has opened (xds-server/filters/request-state.ts).

import { parseGuardOrders } from '#core/guard-orders.ts';
import type { SessionKeys } from '#core/session-key.ts';
import type { AnswerSession, Line } from '#ext-proc/answer-session.ts';
import type { Measures } from '#ext-proc/measures.ts';
import { openStateIn } from '#ext-proc/request/open-state.ts';
import { requestPartFrom } from '#ext-proc/wire/from-processing-request.ts';
import { bodyReply } from '#ext-proc/wire/to-processing-response.ts';

export type RequestParts = {
  readonly measures: Measures;
  /** Keys that know a sealed text. */
  readonly keysFor: (sealed: string) => SessionKeys;
};

/** Starts the conversation about one request. What does not open fails it: nothing sealed may reach a server. */
export const createRequestSession = ({ measures, keysFor }: RequestParts, line: Line): AnswerSession => {
  const fail = (what: string): void => {
    measures.broken(what);
    line.fail('unexpected_message');
  };
  return {
    receive: async (message) => {
      const part = requestPartFrom(message);
      const orders = parseGuardOrders(part?.orders);
      if (part === undefined || !orders.ok) return fail('request without orders');
      const body = openStateIn(part.body, orders.value, keysFor);
      if (body === undefined) return fail('requestState does not open');
      line.reply(bodyReply(body));
    },
    close: () => {},
  };
};

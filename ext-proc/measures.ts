// What this service counts and logs. One log line per refusal and per ended stream: ids, reasons and counts, never a
// byte of an answer.

import type { GuardOrders } from '#core/guard-orders.ts';
import { sessionReference } from '#core/sealed-session.ts';
import type { AnswerFault } from '#ext-proc/answer-fault.ts';
import type { CutList } from '#ext-proc/lists/cut-lists.ts';
import type { TerminationCause } from '#ext-proc/live-streams.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type CourseLabel = 'refused' | 'passed' | 'watched' | 'rewritten';

export type Measures = {
  answered(course: CourseLabel): void;
  /** Seconds from a message of Envoy to our reply. */
  replied(seconds: number): void;
  opened(): void;
  closed(): void;
  held(bytes: number): void;
  cut(lists: readonly CutList[], orders: GuardOrders): void;
  /** `orders` is undefined where none could be read. */
  refused(fault: AnswerFault, orders: GuardOrders | undefined): void;
  /** An answer, or an event of one, that could not be judged has passed as it came: the server's setting says so. */
  unread(fault: AnswerFault, orders: GuardOrders): void;
  terminated(cause: TerminationCause, orders: GuardOrders): void;
  /** `sealed` is told by its reference only. */
  sessionOpened(
    sealed: string,
    by: { readonly orders: GuardOrders; readonly replica: string | undefined },
  ): void;
  /** Envoy sent what we do not expect, or our own code threw: the stream was failed. */
  broken(error: string): void;
};

/** The ids that a log line about an answer tells. */
export const idsOf = (orders: GuardOrders | undefined) =>
  orders === undefined
    ? {}
    : {
        tenant: orders.tenantId,
        server: orders.serverId,
        version: orders.version,
        principal: orders.principal,
        requestId: orders.requestId,
        ...(orders.method === undefined ? {} : { method: orders.method }),
      };

const createInstruments = (metrics: Metrics) => ({
  answers: metrics.counter('ext_proc_answers_total', 'Answers by what was done with them', ['course']),
  seconds: metrics.duration('ext_proc_reply_duration_seconds', 'Time to reply to one message of Envoy'),
  open: metrics.gauge('ext_proc_open_streams', 'Answers open right now that can be ended'),
  held: metrics.gauge('ext_proc_held_bytes', 'Bytes of answers held back until they are whole'),
  cutLists: metrics.counter('ext_proc_lists_total', 'Lists judged', ['tenant', 'kind']),
  dropped: metrics.counter('ext_proc_list_entries_dropped_total', 'List entries not shown', [
    'tenant',
    'kind',
  ]),
  refused: metrics.counter('ext_proc_answers_refused_total', 'Answers not passed', [
    'tenant',
    'reason',
    'fault',
  ]),
  unread: metrics.counter('ext_proc_answers_unread_total', 'Answers and events passed unjudged', [
    'tenant',
    'fault',
  ]),
  ended: metrics.counter('ext_proc_streams_terminated_total', 'Open answers ended by us', [
    'tenant',
    'cause',
  ]),
  sessions: metrics.counter('ext_proc_sessions_opened_total', 'Sessions sealed', ['tenant']),
  broken: metrics.counter(
    'ext_proc_streams_broken_total',
    'Processing streams failed on a fault of the machinery',
  ),
});

/** Registers the metrics of this service, once per `metrics`. */
export const createMeasures = (metrics: Metrics, logger: Logger): Measures => {
  const instruments = createInstruments(metrics);
  return {
    answered: (course) => instruments.answers.inc({ course }),
    replied: (seconds) => instruments.seconds.observe(seconds),
    opened: () => instruments.open.inc(),
    closed: () => instruments.open.dec(),
    held: (bytes) => instruments.held.set(bytes),
    cut: (lists, { tenantId: tenant }) => {
      for (const { kind, dropped } of lists) {
        instruments.cutLists.inc({ tenant, kind });
        instruments.dropped.inc({ tenant, kind }, dropped);
      }
    },
    refused: ({ reason, fault }, orders) => {
      instruments.refused.inc({ tenant: orders?.tenantId ?? 'unknown', reason, fault });
      logger.warn({ ...idsOf(orders), reason, fault }, 'answer refused');
    },
    unread: ({ fault }, orders) => {
      instruments.unread.inc({ tenant: orders.tenantId, fault });
      logger.warn({ ...idsOf(orders), fault }, 'answer passed unread');
    },
    terminated: (cause, orders) => {
      instruments.ended.inc({ tenant: orders.tenantId, cause });
      logger.info({ ...idsOf(orders), reason: 'stream_terminated', cause }, 'stream ended');
    },
    sessionOpened: (sealed, { orders, replica }) => {
      instruments.sessions.inc({ tenant: orders.tenantId });
      const session = sessionReference(sealed);
      logger.info({ ...idsOf(orders), session, replica }, 'session opened');
    },
    broken: (error) => {
      instruments.broken.inc();
      logger.error({ error }, 'processing stream failed');
    },
  };
};

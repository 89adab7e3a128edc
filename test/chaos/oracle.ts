// Knows of each call what must become of it and judges continuously, from both ends: what the client heard, and what reached
// a server with whose token. A violation is a violation under every fault; anything else that is not as it should be counts
// as bad, and the runner says how much of that a fault may cost.

import type { Reason } from '#core/reason.ts';
import type { Verdict } from '#test/chaos/answers.ts';
import type { Arrival } from '#test/chaos/arrivals.ts';
import type { Call } from '#test/chaos/calls.ts';
import { createLoanBook, type LoanBook } from '#test/chaos/loans.ts';
import { LENT_TOOL } from '#test/chaos/people.ts';
import type { Violation } from '#test/chaos/violations.ts';

export type CallRecord = {
  /** A call through the gateway, or a write to the registry. */
  readonly side: 'call' | 'write';
  readonly kind: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** `worked`, `refused: <reason>`, `broken: <how>`, `wrong`. */
  readonly outcome: string;
  /** Not what is right when nothing is broken. */
  readonly isBad: boolean;
};

/** What the audit must hold of a request. */
export type Due = { readonly call: Call; readonly decision: 'allow' | 'deny' };

export type Oracle = {
  /** Before it goes out, so that nothing can reach a server unknown. */
  sent(call: Call): void;
  ended(call: Call, startedAt: number, verdict: Verdict): void;
  arrived(arrivals: readonly Arrival[]): void;
  /** A write to the registry and what became of it. */
  wrote(startedAt: number, outcome: string, isBad: boolean): void;
  /** Something that other judges found. */
  violated(what: string, evidence?: string): void;
  records(): readonly CallRecord[];
  violations(): readonly Violation[];
  /** By `x-request-id`: every call that reached a server, and every one that was refused as it had to be. */
  due(): ReadonlyMap<string, Due>;
  /** Calls that worked and that no server has seen: the harness itself would be at fault. */
  unseen(): readonly string[];
};

/** A call in one line: what was asked of whom by whom, and under which name the gateway's logs know it. */
export const describeCall = (
  { id, method, tool, caller, tenantId, serverId }: Call,
  requestId: string | undefined,
): string =>
  [
    `${id}, ${method}${tool === '' ? '' : ` ${tool}`} of ${caller.user.name} (${caller.era}, HTTP/${caller.version})`,
    `at ${tenantId}/${serverId}${requestId === undefined ? '' : `, x-request-id ${requestId}`}`,
  ].join(' ');

const outcomeOf = (verdict: Verdict): string => {
  if (verdict.kind === 'refused') return `refused: ${verdict.reason}`;
  if (verdict.kind === 'broken') return `broken: ${verdict.how}`;
  return verdict.kind;
};

/** When it was sent, and when what became of it was seen. */
type Span = { readonly from: number; readonly to: number };

type Loan = ReturnType<LoanBook['between']>;

const loanOf = (book: LoanBook, { tenantId, serverId }: Call, { from, to }: Span): Loan =>
  book.between({ tenant: tenantId, server: serverId }, from, to);

const isRefusedFor = (verdict: Verdict, reasons: readonly Reason[]): boolean =>
  verdict.kind === 'refused' && reasons.includes(verdict.reason);

const isRight = (call: Call, verdict: Verdict, loan: Loan): boolean => {
  if (call.expect === 'allowed') return verdict.kind === 'worked';
  if (call.expect !== 'as lent') return isRefusedFor(verdict, call.expect);
  if (verdict.kind === 'worked') return loan !== 'withdrawn';
  return loan !== 'lent' && isRefusedFor(verdict, ['tool_not_granted']);
};

/** A list shows the tool that is lent as long as it is. */
const isWronglyListed = ({ method, caller }: Call, verdict: Verdict, loan: Loan): boolean =>
  method === 'tools/list' &&
  verdict.kind === 'worked' &&
  caller.borrows &&
  loan !== 'changing' &&
  verdict.lists?.includes(LENT_TOOL) !== (loan === 'lent');

/** What may be sent to a server twice: everything but calls of tools that are not idempotent. */
const mayRepeat = (call: Call): boolean => call.method !== 'tools/call' || call.tool === 'read';

/** Why the token a call arrived with must not have been; undefined: it is the one. */
const faultOfToken = (
  { token }: Arrival,
  { caller }: Call,
  isOwnToken: (digest: string) => boolean,
): string | undefined => {
  if (typeof token === 'string') return `with a token that is no good there: ${token}`;
  if (isOwnToken(token.digest)) return "with the caller's own token";
  if (token.oid !== caller.user.oid || token.tid !== caller.tenant.tid) return "with another one's token";
  return token.app === caller.server.gatewayApplication ? undefined : 'with a token of another application';
};

const isAtItsPlace = (arrival: Arrival, { caller }: Call): boolean =>
  arrival.tenant === caller.tenant.id && arrival.server === caller.server.id;

/**
 * @param isOwnToken whether a digest is that of a token some caller has.
 * @param book what is lent; nothing where absent.
 */
export const createOracle = (
  isOwnToken: (digest: string) => boolean,
  book: LoanBook = createLoanBook(),
): Oracle => {
  const calls = new Map<string, Call>();
  const sentAt = new Map<string, number>();
  const arrivals = new Map<string, number>();
  const due = new Map<string, Due>();
  const worked = new Set<string>();
  const records: CallRecord[] = [];
  const violations: Violation[] = [];
  const violated = (what: string, evidence?: string): void => {
    violations.push({ at: Date.now(), what, ...(evidence === undefined ? {} : { evidence }) });
  };

  const mayArrive = ({ at }: Arrival, call: Call): boolean => {
    if (call.expect !== 'as lent') return call.expect === 'allowed';
    return loanOf(book, call, { from: sentAt.get(call.id) ?? at, to: at }) !== 'withdrawn';
  };

  const judgeCall = (arrival: Arrival, call: Call): void => {
    const fault = faultOfToken(arrival, call, isOwnToken);
    const seen = (arrivals.get(call.id) ?? 0) + 1;
    arrivals.set(call.id, seen);
    const found = (what: string): void =>
      violated(`${call.kind}: reached ${what}`, describeCall(call, arrival.requestId));
    if (arrival.requestId === '') found('a server without an x-request-id');
    else due.set(arrival.requestId, { call, decision: 'allow' });
    if (!mayArrive(arrival, call)) found('a server, though it is not allowed');
    if (!isAtItsPlace(arrival, call)) found(`${arrival.tenant}/${arrival.server}`);
    if (fault !== undefined) found(`a server ${fault}`);
    if (seen > 1 && !mayRepeat(call)) found(`a server ${seen} times`);
  };

  /** The opening of a session for a call: that is the caller's own, whatever is wrong with the call. */
  const judgeOpening = (arrival: Arrival, call: Call): void => {
    const fault = faultOfToken(arrival, call, isOwnToken);
    const evidence = describeCall(call, arrival.requestId);
    if (fault !== undefined) violated(`a session was opened ${fault}`, evidence);
    if (!isAtItsPlace(arrival, call))
      violated(`a session was opened at ${arrival.tenant}/${arrival.server}`, evidence);
  };

  /** What has no id of a call: the opening of a session and the stream that is listened to. */
  const judgeOther = (arrival: Arrival): void => {
    const opener = calls.get(arrival.call.replace(/-open$/, ''));
    const { token, http, requestId } = arrival;
    const evidence = `${http} ${arrival.method} at ${arrival.tenant}/${arrival.server}, x-request-id ${requestId}`;
    if (opener !== undefined) judgeOpening(arrival, opener);
    else if (http !== 'GET') violated('something nobody sent reached a server', evidence);
    else if (typeof token === 'string')
      violated(`${http}: reached a server without a good token: ${token}`, evidence);
    else if (isOwnToken(token.digest))
      violated(`${http}: reached a server with the caller's own token`, evidence);
  };

  return {
    sent: (call) => {
      calls.set(call.id, call);
      sentAt.set(call.id, Date.now());
    },
    ended: (call, startedAt, verdict) => {
      const loan = loanOf(book, call, { from: startedAt, to: Date.now() });
      const isBad = !isRight(call, verdict, loan);
      const requestId = verdict.kind === 'refused' ? verdict.requestId : undefined;
      const evidence = describeCall(call, requestId);
      if (isWronglyListed(call, verdict, loan))
        violated(`a list that does not fit a grant that is ${loan}`, evidence);
      if (verdict.kind === 'refused' && !isBad && requestId !== undefined)
        due.set(requestId, { call, decision: 'deny' });
      records.push({
        side: 'call',
        kind: call.kind,
        startedAt,
        endedAt: Date.now(),
        outcome: outcomeOf(verdict),
        isBad,
      });
      if (verdict.kind === 'wrong') violated(`${call.kind}: ${verdict.what}`, evidence);
      if (verdict.kind === 'worked' && call.method === 'tools/call') worked.add(call.id);
    },
    arrived: (list) => {
      for (const arrival of list) {
        const call = calls.get(arrival.call);
        if (call === undefined) judgeOther(arrival);
        else judgeCall(arrival, call);
      }
    },
    wrote: (startedAt, outcome, isBad) =>
      void records.push({
        side: 'write',
        kind: 'write',
        startedAt,
        endedAt: Date.now(),
        outcome,
        isBad,
      }),
    violated,
    records: () => records,
    violations: () => violations,
    due: () => due,
    unseen: () => [...worked].filter((id) => !arrivals.has(id)),
  };
};

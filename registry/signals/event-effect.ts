// What an event of CAEP 1.0, RISC 1.0 or SSF 1.0 means here. Where an event that ends something leaves out how bad it is, the
// worse is taken: it costs somebody a sign-in. Pure.

import type { JsonObject } from '#core/json.ts';
import { STREAM_STATUSES, type StreamStatus } from '#registry/store/signal.ts';

export type EventEffect =
  /** What the subject holds from before ends. `because` is one of our own words. */
  | { readonly kind: 'end'; readonly because: string }
  | { readonly kind: 'verified'; readonly state?: string }
  | { readonly kind: 'stream'; readonly status: StreamStatus }
  /** Understood, and nothing ends by it. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown' };

const NOTHING: EventEffect = { kind: 'nothing' };
const UNKNOWN: EventEffect = { kind: 'unknown' };

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
/** The second is what drafts called it. */
const SSF = [
  'https://schemas.openid.net/secevent/ssf/event-type/',
  'https://schemas.openid.net/secevent/sse/event-type/',
];

type Judge = (payload: JsonObject) => boolean;

const always: Judge = () => true;

const unless =
  (member: string, ...harmless: readonly string[]): Judge =>
  (payload) =>
    !harmless.some((word) => payload[member] === word);

const CAEP_ENDS: Readonly<Record<string, Judge>> = {
  'session-revoked': always,
  // Tokens say what was true when they were issued, and calls are judged by it.
  'token-claims-change': always,
  'credential-change': unless('change_type', 'create'),
  'assurance-level-change': unless('change_direction', 'increase'),
  'device-compliance-change': unless('current_status', 'compliant'),
  'risk-level-change': unless('current_level', 'LOW', 'MEDIUM'),
};

const RISC_ENDS: Readonly<Record<string, Judge>> = {
  'account-disabled': always,
  'account-purged': always,
  'account-credential-change-required': always,
  'credential-compromise': always,
  // Deprecated in favour of CAEP's, and still sent.
  'sessions-revoked': always,
};

/** Of those standards, and no reason to end anything. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['session-established', 'session-presented'].map((name) => CAEP + name),
  ...[
    'account-enabled',
    'identifier-changed',
    'identifier-recycled',
    'opt-in',
    'opt-out-initiated',
    'opt-out-cancelled',
    'opt-out-effective',
    'recovery-activated',
    'recovery-information-changed',
  ].map((name) => RISC + name),
]);

const MAX_STATE_LENGTH = 1_024;

const verifiedBy = ({ state }: JsonObject): EventEffect =>
  typeof state === 'string' && state.length <= MAX_STATE_LENGTH
    ? { kind: 'verified', state }
    : { kind: 'verified' };

const streamOf = ({ status }: JsonObject): EventEffect => {
  const known = STREAM_STATUSES.find((one) => one === status);
  return known === undefined ? UNKNOWN : { kind: 'stream', status: known };
};

const OF_STREAMS: Readonly<Record<string, (payload: JsonObject) => EventEffect>> = {
  verification: verifiedBy,
  'stream-updated': streamOf,
};

const after = (type: string, prefix: string): string =>
  type.startsWith(prefix) ? type.slice(prefix.length) : '';

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** @param type the URI that names the event. */
export const effectOf = (type: string, payload: JsonObject): EventEffect => {
  const [caep, risc] = [after(type, CAEP), after(type, RISC)];
  const ends = own(CAEP_ENDS, caep) ?? own(RISC_ENDS, risc);
  if (ends !== undefined) return ends(payload) ? { kind: 'end', because: caep || risc } : NOTHING;
  const stream = own(OF_STREAMS, SSF.map((prefix) => after(type, prefix)).join(''));
  if (stream !== undefined) return stream(payload);
  return HARMLESS.has(type) ? NOTHING : UNKNOWN;
};

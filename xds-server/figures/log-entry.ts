// What one access log entry of an Envoy says about a call, read out of its bytes by hand: entries come by the thousand
// a second, and of their paths, headers and metadata nothing becomes an object here.

import protobuf from 'protobufjs';

/** `call`: a whole request, as the client saw it. `attempt`: one try at one replica. `other`: neither has ended. */
export type EntryLevel = 'call' | 'attempt' | 'other';

export type LogEntry = {
  readonly level: EntryLevel;
  readonly isPost: boolean;
  /** 0: it ended without one. */
  readonly status: number;
  /** Status and body are the upstream's, not a filter's or Envoy's. Said of calls only. */
  readonly isUpstreamAnswer: boolean;
  /** Empty: never routed to one. */
  readonly cluster: string;
  /** `address:port`, IPv6 in brackets; empty: no replica was chosen. */
  readonly address: string;
  /** A replica was silent until Envoy gave up. */
  readonly timedOut: boolean;
  /** No replica was there, it was not reached, or it broke off. */
  readonly failed: boolean;
  /** The client went away before the end. */
  readonly abandoned: boolean;
  /** From the start of the call or attempt, milliseconds; undefined: it never came to that. */
  readonly sentMs: number | undefined;
  readonly firstByteMs: number | undefined;
  readonly endedMs: number;
  readonly attempts: number;
};

type Reader = protobuf.Reader;

/** What reads the fields of a message into a draft, by field number; fields without a reader are skipped. */
type Fields<Draft> = Readonly<Record<number, (reader: Reader, draft: Draft) => void>>;

const readUntil = <Draft>(reader: Reader, end: number, fields: Fields<Draft>, draft: Draft): void => {
  while (reader.pos < end) {
    const tag = reader.uint32();
    const read = fields[tag >>> 3];
    if (read === undefined) reader.skipType(tag & 7);
    else read(reader, draft);
  }
};

/** An embedded message: its length, then its fields. */
const readMessage = <Draft>(reader: Reader, fields: Fields<Draft>, draft: Draft): void => {
  const length = reader.uint32();
  readUntil(reader, reader.pos + length, fields, draft);
};

// Field numbers from here on: google.protobuf's wrappers and Duration, envoy.config.core.v3.Address,
// envoy.data.accesslog.v3, envoy.service.accesslog.v3.StreamAccessLogsMessage.

type Sum = { value: number };

const UINT32_VALUE: Fields<Sum> = {
  1: (reader, sum) => {
    sum.value = reader.uint32();
  },
};
const DURATION: Fields<Sum> = {
  1: (reader, sum) => {
    sum.value += reader.uint32() * 1_000;
  },
  2: (reader, sum) => {
    sum.value += reader.uint32() / 1e6;
  },
};

const numberIn = (reader: Reader, fields: Fields<Sum>): number => {
  const sum = { value: 0 };
  readMessage(reader, fields, sum);
  return sum.value;
};

type Socket = { host: string; port: number };

const SOCKET_ADDRESS: Fields<Socket> = {
  2: (reader, socket) => {
    socket.host = reader.string();
  },
  3: (reader, socket) => {
    socket.port = reader.uint32();
  },
};
const ADDRESS: Fields<Socket> = {
  1: (reader, socket) => readMessage(reader, SOCKET_ADDRESS, socket),
};

const addressIn = (reader: Reader): string => {
  const socket = { host: '', port: 0 };
  readMessage(reader, ADDRESS, socket);
  const { host, port } = socket;
  if (host === '') return '';
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
};

type Draft = { -readonly [Field in keyof LogEntry]: LogEntry[Field] };

const mark =
  (end: 'timedOut' | 'failed' | 'abandoned') =>
  (reader: Reader, draft: Draft): void => {
    draft[end] ||= reader.bool();
  };

const RESPONSE_FLAGS: Fields<Draft> = {
  2: mark('failed'), // no healthy upstream
  3: mark('timedOut'), // upstream request timeout
  5: mark('failed'), // upstream remote reset
  6: mark('failed'), // upstream connection failure
  7: mark('failed'), // upstream connection termination
  8: mark('failed'), // upstream overflow
  15: mark('abandoned'), // downstream connection termination
  17: mark('timedOut'), // stream idle timeout
  24: mark('failed'), // upstream protocol error
  28: mark('abandoned'), // downstream remote reset
};

const LEVELS: Readonly<Record<number, EntryLevel>> = { 6: 'call', 9: 'attempt' };

const COMMON: Fields<Draft> = {
  7: (reader, draft) => {
    draft.sentMs = numberIn(reader, DURATION);
  },
  9: (reader, draft) => {
    draft.firstByteMs = numberIn(reader, DURATION);
  },
  13: (reader, draft) => {
    draft.address = addressIn(reader);
  },
  15: (reader, draft) => {
    draft.cluster = reader.string();
  },
  16: (reader, draft) => readMessage(reader, RESPONSE_FLAGS, draft),
  23: (reader, draft) => {
    draft.endedMs = numberIn(reader, DURATION);
  },
  24: (reader, draft) => {
    draft.attempts = reader.uint32();
  },
  33: (reader, draft) => {
    draft.level = LEVELS[reader.uint32()] ?? 'other';
  },
};

const POST = 3;

const REQUEST: Fields<Draft> = {
  1: (reader, draft) => {
    draft.isPost = reader.uint32() === POST;
  },
};

const RESPONSE: Fields<Draft> = {
  1: (reader, draft) => {
    draft.status = numberIn(reader, UINT32_VALUE);
  },
  6: (reader, draft) => {
    draft.isUpstreamAnswer = reader.string() === 'via_upstream';
  },
};

const ENTRY: Fields<Draft> = {
  1: (reader, draft) => readMessage(reader, COMMON, draft),
  3: (reader, draft) => readMessage(reader, REQUEST, draft),
  4: (reader, draft) => readMessage(reader, RESPONSE, draft),
};

const emptyDraft = (): Draft => ({
  level: 'other',
  isPost: false,
  status: 0,
  isUpstreamAnswer: false,
  cluster: '',
  address: '',
  timedOut: false,
  failed: false,
  abandoned: false,
  sentMs: undefined,
  firstByteMs: undefined,
  endedMs: 0,
  attempts: 0,
});

const HTTP_LOGS: Fields<LogEntry[]> = {
  1: (reader, entries) => {
    const draft = emptyDraft();
    readMessage(reader, ENTRY, draft);
    entries.push(draft);
  },
};
const MESSAGE: Fields<LogEntry[]> = {
  2: (reader, entries) => readMessage(reader, HTTP_LOGS, entries),
};

/**
 * All HTTP entries of one StreamAccessLogsMessage.
 * @throws RangeError or Error if it is no protobuf.
 */
export const logEntriesOf = (message: Uint8Array): LogEntry[] => {
  const reader = protobuf.Reader.create(message);
  const entries: LogEntry[] = [];
  readUntil(reader, reader.len, MESSAGE, entries);
  return entries;
};

// What a tenant wants done with what its servers answer. Settings of a server go before the tenant's, member by member;
// what neither sets is closed. Rules are data: ext-authz asks whether any concerns a call, ext-proc carries them out.

/**
 * What becomes of a tool that the server describes in other words than were approved. `hide`: it is not shown, and a call
 * to it is refused. `pinned`: it is shown as it was approved. `report`: it is shown as the server describes it.
 */
export const DRIFT_MODES = ['hide', 'pinned', 'report'] as const;
export type DriftMode = (typeof DRIFT_MODES)[number];

/** What becomes of what does not fit its schema. `report`: it passes, and is counted and logged. */
export const CHECK_MODES = ['refuse', 'report', 'off'] as const;
export type CheckMode = (typeof CHECK_MODES)[number];

/** What becomes of an answer that has to be judged and cannot be read: too large, compressed in an unknown way, no JSON. */
export const UNREADABLE_MODES = ['refuse', 'report'] as const;
export type UnreadableMode = (typeof UNREADABLE_MODES)[number];

/** `seal`: a client holds `requestState` only sealed to itself and this server (MCP 2026-07-28, multi round-trip requests). */
export const REQUEST_STATE_MODES = ['seal', 'pass'] as const;
export type RequestStateMode = (typeof REQUEST_STATE_MODES)[number];

/**
 * Messages on their way to a client, by what a rule can name. `tool-result`: also one that reports an error. `error`: a
 * JSON-RPC error. `input-required`: a result that asks for input. `list`: names and descriptions in a list.
 */
export const MESSAGE_KINDS = [
  'tool-result',
  'prompt',
  'resource',
  'list',
  'error',
  'input-required',
  'elicitation',
  'sampling',
  'progress',
  'log',
  'other',
] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** From the mildest: what is done about a finding. `mark`: the text stays, and says what was found in it. */
export const FINDING_ACTIONS = ['allow', 'mark', 'redact', 'block'] as const;
export type FindingAction = (typeof FINDING_ACTIONS)[number];

/** What is done about findings of one detector. Of several rules that fit a finding the first counts, a server's before a tenant's. */
export type FindingRule = {
  /** A built-in detector, or `plugin:` and the name of a plug-in. */
  readonly detector: string;
  /** Kinds of finding; absent: every kind. */
  readonly kinds?: readonly string[];
  readonly action: FindingAction;
  /** Absent: every tool. */
  readonly tools?: readonly string[];
  /** Absent: tool results alone. */
  readonly messages?: readonly MessageKind[];
  /** Hosts that links may lead to, for the detector of exfiltration. */
  readonly allowedHosts?: readonly string[];
  /** ISO 3166 country codes, for national ids. */
  readonly countries?: readonly string[];
};

/** Exactly one of `pattern`, `pointer` is given. */
export type Redaction = {
  /** Told in metrics and logs. */
  readonly name: string;
  /** A regular expression in RE2's syntax; every match in a text is replaced. */
  readonly pattern?: string;
  /** JSON Pointer (RFC 6901) into `structuredContent`; `*` as a token stands for every element or member. */
  readonly pointer?: string;
  /** In the place of what is redacted; absent: `[redacted]`. */
  readonly replacement?: string;
  /** Absent: every tool. */
  readonly tools?: readonly string[];
};

export type HeaderChange =
  | {
      readonly action: 'add';
      readonly name: string;
      readonly value: string;
      readonly tools?: readonly string[];
    }
  | { readonly action: 'remove'; readonly name: string; readonly tools?: readonly string[] }
  | {
      readonly action: 'rename';
      readonly name: string;
      readonly to: string;
      readonly tools?: readonly string[];
    };

/** A value of a tool's result that is told outside of it. Exactly one of `header`, `label` is given. */
export type Extraction = {
  readonly name: string;
  /** JSON Pointer into `structuredContent`. */
  readonly pointer: string;
  /** Response header it is sent in; of an answer that is a stream it is not. */
  readonly header?: string;
  /** True: it is counted under the extraction's name. */
  readonly label?: true;
  /** The only values that are told; any other is `other`. */
  readonly values: readonly string[];
  readonly tools?: readonly string[];
};

/** A tenant's settings. */
export type ResponseGuard = {
  readonly drift?: DriftMode;
  /** Arguments of a call against the pinned `inputSchema`. */
  readonly arguments?: CheckMode;
  /** `structuredContent` against the pinned `outputSchema`, and the shape of messages. */
  readonly results?: CheckMode;
  readonly unreadable?: UnreadableMode;
  readonly requestState?: RequestStateMode;
  /** Longest answer that is judged, bytes, below the process's own cap. */
  readonly maxAnswerBytes?: number;
  readonly findings?: readonly FindingRule[];
};

/** A server's. */
export type ServerResponseGuard = ResponseGuard & {
  readonly redactions?: readonly Redaction[];
  readonly headers?: readonly HeaderChange[];
  readonly extractions?: readonly Extraction[];
};

/** Settings as they are in force. */
export type ResponseGuardInForce = Required<Omit<ServerResponseGuard, 'maxAnswerBytes'>> & {
  readonly maxAnswerBytes?: number;
};

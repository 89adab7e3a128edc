// Faults on order: what the next matching token requests meet instead of an answer. For tests and demonstrations.

import { isJsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type EntraCode, isEntraCode } from '#demo/mini-entra/entra-error.ts';
import { GRANT_NAMES, type GrantName } from '#demo/mini-entra/grants/grant.ts';

/** Faults that are a refusal in Entra's words, with the code each stands for. */
const REFUSALS = {
  consent_required: 65001,
  interaction_required: 50076,
  assertion_invalid: 50013,
  session_revoked: 50173,
  blocked: 53003,
  invalid_client: 7000215,
} as const satisfies Record<string, EntraCode>;

/** Faults of the wire. */
const WIRE_FAULTS = ['throttled', 'server_error', 'timeout', 'non_json', 'truncated'] as const;

export type RefusalFault = keyof typeof REFUSALS;
export type WireFault = (typeof WIRE_FAULTS)[number];

export type FaultOrder = {
  readonly kind: RefusalFault | WireFault | 'refusal';
  /** Any code of the table, for kind `refusal`. */
  readonly code?: EntraCode;
  /** Absent: requests of every grant. */
  readonly grant?: GrantName;
  /** Name of the user whose requests fail; absent: anybody's. */
  readonly user?: string;
  /** Client id whose requests fail. */
  readonly client?: string;
  /** How often; absent: until the faults are cleared. */
  readonly times?: number;
  /** JSON text of a claims challenge. */
  readonly claims?: string;
  /** For `throttled` and `server_error`. */
  readonly retryAfterSeconds?: number;
  /** How long `timeout` keeps silent, milliseconds. */
  readonly delayMs?: number;
};

export type Fault =
  | { readonly kind: 'refusal'; readonly code: EntraCode; readonly claims?: string }
  | { readonly kind: WireFault; readonly retryAfterSeconds?: number; readonly delayMs: number };

export type FaultTarget = {
  readonly grant: GrantName;
  readonly client: string;
  readonly user?: string;
};

export type FaultBook = {
  add(order: FaultOrder): void;
  clear(): void;
  list(): readonly FaultOrder[];
  /** The fault the request meets, counted down. */
  take(request: FaultTarget): Fault | undefined;
};

const DEFAULT_DELAY_MS = 30_000;

const isWireFault = (kind: FaultOrder['kind']): kind is WireFault =>
  (WIRE_FAULTS as readonly string[]).includes(kind);

const toFault = (order: FaultOrder): Fault => {
  const { kind, code, claims, retryAfterSeconds, delayMs } = order;
  if (isWireFault(kind)) {
    return {
      kind,
      delayMs: delayMs ?? DEFAULT_DELAY_MS,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  }
  const refusal = kind === 'refusal' ? (code ?? 50013) : REFUSALS[kind];
  return { kind: 'refusal', code: refusal, ...(claims === undefined ? {} : { claims }) };
};

const isMeantFor = (order: FaultOrder, request: FaultTarget): boolean =>
  (order.grant ?? request.grant) === request.grant &&
  (order.client ?? request.client) === request.client &&
  (order.user ?? request.user) === request.user;

/** An empty book. */
export const createFaultBook = (): FaultBook => {
  let open: { order: FaultOrder; left: number }[] = [];
  return {
    add: (order) => void open.push({ order, left: order.times ?? Number.POSITIVE_INFINITY }),
    clear: () => {
      open = [];
    },
    list: () => open.map(({ order }) => order),
    take: (request) => {
      const entry = open.find(({ order }) => isMeantFor(order, request));
      if (entry === undefined) return undefined;
      entry.left -= 1;
      open = open.filter(({ left }) => left > 0);
      return toFault(entry.order);
    },
  };
};

const isKind = (value: unknown): value is FaultOrder['kind'] =>
  value === 'refusal' ||
  (typeof value === 'string' && (Object.hasOwn(REFUSALS, value) || isWireFault(value as WireFault)));

const TYPES = {
  user: 'string',
  client: 'string',
  claims: 'string',
  times: 'number',
  retryAfterSeconds: 'number',
  delayMs: 'number',
} as const;

/** An order as it comes over HTTP; the error names the field at fault. */
export const parseFaultOrder = (value: unknown): Result<FaultOrder, string> => {
  if (!isJsonObject(value) || !isKind(value['kind'])) return err('kind');
  if (value['kind'] === 'refusal' && !isEntraCode(value['code'])) return err('code');
  if (value['grant'] !== undefined && !GRANT_NAMES.some((name) => name === value['grant']))
    return err('grant');
  const wrong = Object.entries(TYPES).find(
    ([name, type]) => value[name] !== undefined && typeof value[name] !== type,
  );
  return wrong === undefined ? ok(value as unknown as FaultOrder) : err(wrong[0]);
};

// Envoy, xds-server, ext-authz and ext-proc as they are, in front of servers of the test's making. Played are only the
// identity provider (a bearer token is its user's name, `user@application`), the policy (all is granted) and the broker.

import { connect } from 'node:net';
import { deny } from '#core/decision.ts';
import type { TerminateStreams } from '#core/feed-message.ts';
import type { Identity } from '#core/identity.ts';
import { err, ok } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import { Secret } from '#core/secret.ts';
import type { SessionKey } from '#core/session-key.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { CheckParts } from '#ext-authz/check.ts';
import { authorizationService } from '#ext-authz/grpc-edge.ts';
import { openCallSession, openLastEvent } from '#ext-authz/session/open-call-session.ts';
import { judgeRequestState } from '#ext-authz/session/request-state.ts';
import { createAnswerSteps } from '#ext-proc/answer-steps.ts';
import { createHeldBytes } from '#ext-proc/held-bytes.ts';
import { createLiveStreams } from '#ext-proc/live-streams.ts';
import { createMeasures } from '#ext-proc/measures.ts';
import type { DriftWatch } from '#ext-proc/pins/drift-watch.ts';
import { createProcessService } from '#ext-proc/process.ts';
import { findRules } from '#ext-proc/rules/find-rules.ts';
import { BUILT_IN_DETECTORS } from '#ext-proc/sanitation/detectors/built-in.ts';
import { isMeant, isSwitchedOff, isTakenAway } from '#ext-proc/termination.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { SESSION_KEY } from '#test/support/session-world.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';

export type SessionGateway = {
  readonly gateway: Gateway;
  readonly xds: XdsServer;
  /** The snapshot for all three services; resolves when Envoy has it. */
  update(snapshot: Snapshot): Promise<void>;
  /** The newest key last. */
  keys: readonly [SessionKey, ...SessionKey[]];
  /** Added to the clock of both services, milliseconds. */
  laterMs: number;
  /** What both services wrote to their logs, and what the policy was asked. */
  readonly written: string[];
  /** Facts of the refusals so far. */
  readonly refusals: Record<string, unknown>[];
  send(path: string, request: SessionRequest): Promise<SessionAnswer>;
  /** Ends open streams as an operator's command does; returns how many. */
  terminate(event: TerminateStreams): number;
  stop(): Promise<void>;
};

const isOpen = (origin: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** `as`: user, or `user@application`. `session` and `lastEvent` are sent as they are. */
export type SessionRequest = {
  readonly as: string;
  readonly method?: 'POST' | 'GET' | 'DELETE';
  readonly rpc?: string;
  readonly params?: object;
  readonly session?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
};

export type SessionAnswer = {
  readonly status: number;
  /** The session id the client gets. */
  readonly session: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
};

const sendTo = async (url: string, request: SessionRequest): Promise<SessionAnswer> => {
  const { as, method = 'POST', rpc = 'ping', session, headers = {} } = request;
  const params = { protocolVersion: '2025-11-25', capabilities: {}, ...request.params };
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
      ...headers,
    },
    ...(method === 'POST' ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: rpc, params }) } : {}),
  });
  return {
    status: response.status,
    session: response.headers.get('mcp-session-id') ?? undefined,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  };
};

export const MAX_AGE_SECONDS = 3_600;

const identityOf = (name: string): Identity => {
  const [user = '', app = 'app'] = name.split('@');
  return {
    principal: JSON.stringify(['https://idp.example', user]),
    kind: 'user',
    issuerId: 'home',
    relation: 'home',
    subject: user,
    issuedAt: Math.floor(Date.now() / 1000),
    app,
    groups: [],
    roles: [],
    scopes: [],
    guest: false,
    assurance: [],
  } as unknown as Identity;
};

/**
 * Starts everything; nothing is served before the first `update`. `policy` takes the place of the one that grants all,,
 * `authenticator` that of the one who believes names, and `drift` hears what servers make of pinned tools.
 */
export const startSessionGateway = async (
  options: {
    readonly policy?: CheckParts['policy'];
    readonly authenticator?: CheckParts['authenticator'];
    readonly drift?: Pick<DriftWatch, 'saw'>;
  } & Partial<GatewaySettings> = {},
): Promise<SessionGateway> => {
  const { policy, authenticator, drift = { saw: () => {} }, ...settings } = options;
  let snapshot: Snapshot = { sequence: 0, tenants: [] };
  const written: string[] = [];
  const refusals: Record<string, unknown>[] = [];
  const state = { keys: [SESSION_KEY] as SessionGateway['keys'], laterMs: 0 };
  const nowMs = () => Date.now() + state.laterMs;
  const logger = createLogger('test', 'info', { write: (line) => void written.push(line) });
  const parts: CheckParts = {
    world: () => ({ snapshot, freshAtMs: Date.now() }),
    revocations: createRevocationBook(),
    authenticator: authenticator ?? {
      authenticate: async ({ headers }) => {
        const name = /^Bearer (.+)$/.exec(headers.get('authorization')?.[0] ?? '')?.[1];
        return name === undefined
          ? err(deny('token_missing'))
          : ok({ identity: identityOf(name), token: new Secret(name) });
      },
    },
    policy: policy ?? {
      judge: ({ call, request }) => {
        written.push(`policy ${JSON.stringify(request)}`);
        const kinds =
          call.kind === 'stream'
            ? (['tools', 'prompts', 'resources', 'resourceTemplates'] as const)
            : call.list === undefined
              ? []
              : [call.list];
        const lists = kinds.map((kind) => ({ kind, visible: { all: true } as const }));
        return { ...ok({ obligations: {}, explain: [], lists }), revision: 'test' };
      },
    },
    broker: { acquire: async () => ok({ token: null, source: 'none' }), purge: async () => {} },
    askApproval: async () => err('nobody is asked'),
    sessions: {
      open: (sealed, owner, nowSeconds) =>
        openCallSession(sealed, owner, {
          keys: sealingKeysOf(state.keys),
          maxAgeSeconds: MAX_AGE_SECONDS,
          nowSeconds,
        }),
      openEvent: (lastEventId, place) => openLastEvent(lastEventId, place, sealingKeysOf(state.keys)),
      judgeState: (place, call, by) =>
        judgeRequestState(place, call, {
          ...by,
          keysFor: () => sealingKeysOf(state.keys),
          maxAgeSeconds: MAX_AGE_SECONDS,
        }),
    },
    sink: {
      record: async (event) => void written.push(JSON.stringify(event)),
      tell: (decision) => {
        if (decision.kind === 'deny') refusals.push({ reason: decision.reason, ...decision.logFacts });
      },
    },
    recordDeadlineMs: 5_000,
    publicUrl: 'https://gw.example',
    deadlineMs: 4_500,
    nowMs,
    monotonicMs: () => performance.now(),
  };
  const metrics = createMetrics('ext-proc');
  const measures = createMeasures(metrics, logger);
  const liveStreams = createLiveStreams();
  let nonce = 0;
  const sealer = {
    key: () => sealingKeysOf(state.keys).current,
    nonce: () => {
      nonce += 1;
      return Buffer.from(nonce.toString(16).padStart(24, '0'), 'hex');
    },
    nowMs,
  };
  const extProc = createProcessService({
    limits: { maxBodyBytes: 1_000_000, maxEventBytes: 100_000 },
    liveStreams,
    heldBytes: createHeldBytes(10_000_000, measures.held),
    measures,
    sealer,
    rulesFor: (orders) => findRules(snapshot, orders),
    steps: createAnswerSteps({
      metrics,
      logger,
      measures,
      detectors: BUILT_IN_DETECTORS,
      sealer,
      drift,
    }),
    keysFor: () => sealingKeysOf(state.keys),
    endedBy: (orders) => (isSwitchedOff(snapshot, orders, nowMs()) ? 'switched-off' : undefined),
  });
  const gateway = await startGateway({
    ...settings,
    judges: { extAuthz: authorizationService(parts), extProc },
  });
  const xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  /** Envoy has the clusters with the addresses that were published. */
  const isServed = async (next: Snapshot): Promise<boolean> => {
    if (xds.publishedSequence() !== next.sequence) return false;
    const clusters = await gateway.admin('/clusters').catch(() => '');
    const wanted = next.tenants.flatMap(({ servers }) =>
      servers.flatMap(({ versions }) => versions.flatMap(({ endpoints }) => endpoints)),
    );
    return wanted.every((url) => clusters.includes(`::${new URL(url).host}::health_flags`));
  };
  return Object.assign(state, {
    gateway,
    xds,
    written,
    refusals,
    update: async (next: Snapshot) => {
      const step = { before: snapshot, after: next };
      snapshot = next;
      liveStreams.terminate((orders) => isTakenAway(step, orders, nowMs()), 'switched-off');
      xds.update(next);
      await until('Envoy has the snapshot', () => isServed(next), 30_000);
      await until('the listener is open', () => isOpen(gateway.origin), 30_000);
    },
    terminate: (event: TerminateStreams) =>
      liveStreams.terminate((orders) => isMeant(event, orders), 'command'),
    send: (path: string, request: SessionRequest) => sendTo(`${gateway.origin}${path}`, request),
    stop: async () => {
      await gateway.stop();
      await xds.stop();
    },
  });
};

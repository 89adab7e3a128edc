// `/control/*`: orders to the stand-in that the real thing has no button for. Reached from this machine only, and
// not from a web page: a browser sends Origin, or a Host that is not ours (DNS rebinding).

import type { IncomingMessage } from 'node:http';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { type FaultBook, parseFaultOrder } from '#demo/mini-entra/faults.ts';
import type { GraphDesk } from '#demo/mini-entra/graph/desk.ts';
import type { SigningKeys } from '#demo/mini-entra/signing-keys.ts';
import type { Counters } from '#demo/mini-entra/token-endpoint.ts';
import type { World } from '#demo/mini-entra/world.ts';

export type ControlParts = {
  readonly world: World;
  readonly keys: SigningKeys;
  readonly faults: FaultBook;
  readonly graph: GraphDesk;
  readonly counters: () => Counters;
  readonly resetCounters: () => void;
  /** Lifetime of every token from now on; undefined: random again. */
  readonly setLifetime: (seconds: number | undefined) => void;
};

export type ControlReply = { readonly status: number; readonly body: object };

type Command = (parts: ControlParts, body: JsonObject) => ControlReply | Promise<ControlReply>;

const done: ControlReply = { status: 200, body: { done: true } };
const wrong = (field: string): ControlReply => ({
  status: 400,
  body: { error: `${field} is missing or wrong` },
});

const knowsUser = (parts: ControlParts, name: unknown): name is string =>
  parts.world.directories.some((directory) => directory.users.some((user) => user.name === name));

const COMMANDS: Readonly<Record<string, Command>> = {
  'GET /control/state': ({ counters, faults, graph }) => ({
    status: 200,
    body: {
      counters: counters(),
      faults: faults.list(),
      graph: { ...graph, subscriptions: graph.subscriptions.size },
    },
  }),
  'POST /control/graph': ({ graph }, { status }) => {
    if (status !== null && !(typeof status === 'number' && status >= 400)) return wrong('status');
    graph.fault = status === null ? undefined : { status, body: { error: { code: 'ordered' } } };
    return done;
  },
  'POST /control/faults': ({ faults }, body) => {
    const order = parseFaultOrder(body);
    if (!order.ok) return wrong(order.error);
    faults.add(order.value);
    return done;
  },
  'DELETE /control/faults': ({ faults }) => {
    faults.clear();
    return done;
  },
  'DELETE /control/counters': ({ resetCounters }) => {
    resetCounters();
    return done;
  },
  'POST /control/keys/rotate': async ({ keys }, body) => {
    await keys.rotate({ retireOld: body['retireOld'] === true });
    return done;
  },
  'POST /control/users': (parts, { user, enabled }) => {
    if (!knowsUser(parts, user)) return wrong('user');
    if (typeof enabled !== 'boolean') return wrong('enabled');
    parts.world.setEnabled(user, enabled);
    return done;
  },
  'DELETE /control/users': (parts, { user }) => {
    if (!knowsUser(parts, user)) return wrong('user');
    parts.world.remove(user);
    return done;
  },
  'POST /control/sessions/revoke': (parts, { user }) => {
    if (!knowsUser(parts, user)) return wrong('user');
    // Tokens carry whole seconds: one issued in this very second must be dead too.
    parts.world.revokeSessions(user, Math.floor(Date.now() / 1000) + 1);
    return done;
  },
  'POST /control/lifetime': ({ setLifetime }, { seconds }) => {
    if (seconds !== null && !(typeof seconds === 'number' && seconds > 0)) return wrong('seconds');
    setLifetime(seconds ?? undefined);
    return done;
  },
};

/** True for a request a process on this machine made on purpose. */
const isLocal = (request: IncomingMessage): boolean =>
  /^(?:::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? '') &&
  /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? '') &&
  request.headers.origin === undefined;

const parseBody = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Answers one control request. */
export const answerControl = async (
  parts: ControlParts,
  request: IncomingMessage,
  { path, text }: { readonly path: string; readonly text: string },
): Promise<ControlReply> => {
  if (!isLocal(request)) return { status: 403, body: { error: 'from this machine only' } };
  const key = `${request.method} ${path}`;
  const command = Object.hasOwn(COMMANDS, key) ? COMMANDS[key] : undefined;
  if (command === undefined) return { status: 404, body: { commands: Object.keys(COMMANDS) } };
  const body = parseBody(text);
  return body === undefined ? wrong('body') : command(parts, body);
};

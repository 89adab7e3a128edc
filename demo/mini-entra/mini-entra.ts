// A stand-in for Entra ID v2 that really checks: several directories on one loopback port, over plain HTTP.
// It guards sample data only and holds what the demo's directory says.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { DemoApplication, DemoDirectory } from '#demo/directory.ts';
import { randomLifetimeSeconds } from '#demo/mini-entra/access-token.ts';
import { createCodes } from '#demo/mini-entra/codes.ts';
import { answerControl, type ControlParts } from '#demo/mini-entra/control.ts';
import { addressesOf, discoveryDocument, keySet } from '#demo/mini-entra/discovery.ts';
import { entraErrorReply } from '#demo/mini-entra/entra-error.ts';
import { createFaultBook } from '#demo/mini-entra/faults.ts';
import { answerGraph } from '#demo/mini-entra/graph/answer-graph.ts';
import { emptyGraphDesk, type GraphParts } from '#demo/mini-entra/graph/desk.ts';
import { notifyOfChange } from '#demo/mini-entra/graph/subscriptions.ts';
import { createRefreshTokens } from '#demo/mini-entra/refresh-tokens.ts';
import { answerSignIn, type SignInAnswer, type SignInParts } from '#demo/mini-entra/sign-in.ts';
import { createSigningKeys } from '#demo/mini-entra/signing-keys.ts';
import {
  answerTokenRequest,
  type Counters,
  emptyCounters,
  type TokenEndpointParts,
} from '#demo/mini-entra/token-endpoint.ts';
import { retryAfter, sendJson, sendTokenReply } from '#demo/mini-entra/wire.ts';
import { createWorld } from '#demo/mini-entra/world.ts';

/** Far above any real token request. */
const MAX_BODY_BYTES = 64 * 1024;

/** Asks for one token with another lifetime, seconds. */
export const LIFETIME_HEADER = 'x-mini-entra-lifetime-seconds';

export type MiniEntraOptions = {
  readonly directories: readonly DemoDirectory[];
  readonly applications: readonly DemoApplication[];
  /** 0 takes a free one. */
  readonly port: number;
  /** Where signing keys outlive a restart; absent: new keys each time. */
  readonly stateDirectory?: string;
};

export type MiniEntra = {
  readonly port: number;
  readonly origin: string;
  /** Key set of all directories. */
  readonly jwksUri: string;
  issuer(tid: string): string;
  tokenEndpoint(tid: string): string;
  /** What `/control/*` does, for tests in the same process. */
  readonly control: ControlParts;
  close(): Promise<void>;
};

type Site = {
  readonly parts: TokenEndpointParts & ControlParts & GraphParts & SignInParts;
  readonly lifetimeSeconds: () => number;
};

const readBody = async (request: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const readLifetime = (request: IncomingMessage): number | undefined => {
  const seconds = Number(request.headers[LIFETIME_HEADER]);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : undefined;
};

const findDocument = (site: Site, origin: string, path: string): object | undefined => {
  const { world, keys } = site.parts;
  if (path === '/healthz') return { status: 'ok' };
  if (path === '/common/discovery/v2.0/keys') return keySet(origin, world.directories, keys);
  const match = /^\/([^/]+)\/(v2\.0\/\.well-known\/openid-configuration|discovery\/v2\.0\/keys)$/.exec(path);
  const directory = world.findDirectory(match?.[1] ?? '');
  if (directory === undefined) return undefined;
  return match?.[2] === 'discovery/v2.0/keys'
    ? keySet(origin, [directory], keys)
    : discoveryDocument(origin, directory.tid);
};

const answerToken = async (
  site: Site,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { tid, body }: { tid: string; body: string },
): Promise<void> => {
  const nowMs = Date.now();
  const lifetimeSeconds = readLifetime(request) ?? site.lifetimeSeconds();
  const nowSeconds = Math.floor(nowMs / 1000);
  const { answer, fault } = await answerTokenRequest(site.parts, { tid, body, nowSeconds, lifetimeSeconds });
  const reply = answer.ok ? { status: 200, body: answer.value } : entraErrorReply(answer.error, nowMs);
  await sendTokenReply(response, reply, fault);
};

const sendBrowser = (response: ServerResponse, answer: SignInAnswer): void => {
  const [status, headers, body] =
    'location' in answer
      ? ([302, { location: answer.location }, ''] as const)
      : ([200, { 'content-type': 'text/html; charset=utf-8' }, answer.page] as const);
  response.writeHead(status, { 'cache-control': 'no-store', ...headers }).end(body);
};

const sendSignIn = (
  { parts }: Site,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { tid, text }: { tid: string; text: string },
): void => {
  const nowMs = Date.now();
  const answered = answerSignIn(parts, {
    tid,
    query: request.url?.split('?')[1] ?? '',
    nowSeconds: Math.floor(nowMs / 1000),
    ...(request.method === 'POST' ? { body: text } : {}),
  });
  if (answered.ok) sendBrowser(response, answered.value);
  else {
    const { status, body } = entraErrorReply(answered.error, nowMs);
    sendJson(response, status, body);
  }
};

const sendGraph = async (
  { parts }: Site,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { path, text }: { path: string; text: string },
): Promise<void> => {
  const { status, body, retryAfterSeconds } = await answerGraph(parts, {
    method: request.method ?? 'GET',
    path: path.slice('/v1.0'.length),
    query: new URLSearchParams(request.url?.split('?')[1] ?? ''),
    text,
    authorization: request.headers.authorization,
  });
  sendJson(response, status, body, retryAfter(retryAfterSeconds));
};

const answer = async (
  site: Site,
  origin: string,
  exchange: { request: IncomingMessage; response: ServerResponse },
): Promise<void> => {
  const { request, response } = exchange;
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const text = await readBody(request);
  if (text === undefined) return sendJson(response, 413, { error: 'body too large' });
  if (path.startsWith('/control/')) {
    const reply = await answerControl(site.parts, request, { path, text });
    return sendJson(response, reply.status, reply.body);
  }
  const tid = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(path)?.[1];
  if (tid !== undefined && request.method === 'POST') return answerToken(site, exchange, { tid, body: text });
  const signInTid = /^\/([^/]+)\/oauth2\/v2\.0\/authorize$/.exec(path)?.[1];
  if (signInTid !== undefined) return sendSignIn(site, exchange, { tid: signInTid, text });
  if (path.startsWith('/v1.0/')) return sendGraph(site, exchange, { path, text });
  const document = request.method === 'GET' ? findDocument(site, origin, path) : undefined;
  return document === undefined
    ? sendJson(response, 404, { error: 'not_found' })
    : sendJson(response, 200, document);
};

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });

const createSite = async (options: MiniEntraOptions, origin: () => string): Promise<Site> => {
  const issuer = (tid: string): string => addressesOf(origin(), tid).issuer;
  const { directories, applications, stateDirectory } = options;
  const file = stateDirectory === undefined ? undefined : join(stateDirectory, 'mini-entra', 'keys.json');
  const tids = directories.map((directory) => directory.tid);
  let counters: Counters = emptyCounters();
  let lifetime: number | undefined;
  const graph = emptyGraphDesk();
  return {
    parts: {
      world: createWorld(directories, applications, (directory, change) =>
        notifyOfChange(graph, directory, change),
      ),
      keys: await createSigningKeys(tids, file),
      faults: createFaultBook(),
      codes: createCodes(),
      refreshTokens: createRefreshTokens(),
      issuer,
      tokenEndpoint: (tid) => addressesOf(origin(), tid).tokenEndpoint,
      graph,
      graphUrl: () => new URL(issuer(tids[0] ?? 'none')).origin,
      counters: () => counters,
      resetCounters: () => {
        counters = emptyCounters();
      },
      setLifetime: (seconds) => {
        lifetime = seconds;
      },
    },
    lifetimeSeconds: () => lifetime ?? randomLifetimeSeconds(),
  };
};

/**
 * Starts the stand-in on 127.0.0.1.
 * @throws the listen error if the port is taken.
 */
export const createMiniEntra = async (options: MiniEntraOptions): Promise<MiniEntra> => {
  let origin = '';
  const issuer = (tid: string): string => addressesOf(origin, tid).issuer;
  const site = await createSite(options, () => origin);
  const server = createServer((request, response) => {
    answer(site, origin, { request, response }).catch(() => response.destroy());
  });
  const port = await listen(server, options.port);
  origin = `http://127.0.0.1:${port}`;
  return {
    port,
    origin,
    jwksUri: `${origin}/common/discovery/v2.0/keys`,
    issuer,
    tokenEndpoint: (tid) => addressesOf(origin, tid).tokenEndpoint,
    control: site.parts,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

// The whole product under test, with what tests ask of it: tokens, the registry, the identity provider's moods, and
// ways to break a part.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { decodeJwt, importJWK, type JWK, SignJWT } from 'jose';
import { CONTOSO_TID } from '#demo/directory.ts';
import type { SeenCall } from '#demo/servers/seen-log.ts';
import type { Quickstart } from '#demo/supervisor/quickstart.ts';
import { getStatus, loopback } from '#provision/processes/readiness.ts';
import { type ProductProcess, ROOT, startProductProcess } from '#test/support/product-process.ts';

export type RegistryAnswer = { readonly status: number; readonly etag: string; readonly body: unknown };

export type Product = {
  readonly quickstart: Quickstart;
  readonly process: ProductProcess;
  /** Key set of the identity provider. */
  readonly jwksUrl: string;
  readonly logsDirectory: string;
  /** The address of quickstart.json: the short form of the default tenant. */
  serverUrl(id: string): string;
  /** `/t/{tenant}/mcp/{id}`. */
  canonicalUrl(id: string): string;
  /** A fresh token, with the arguments of `npm run token`. */
  token(...args: string[]): Promise<string>;
  /** A token of the user that was rightly signed and ended an hour ago. */
  expiredToken(user: string): Promise<string>;
  /** As the sample servers note the tokens they see. */
  fingerprint(token: string): string;
  /** What reached a sample server lately: method, header names, facts of the token. */
  callsSeenBy(server: 'tracker' | 'reports'): Promise<readonly SeenCall[]>;
  /** Every exchange and sign-in meets this fault until it is cleared. */
  setProviderFault(kind: string): Promise<void>;
  clearProviderFaults(): Promise<void>;
  /** A call of the registry's API as its admin. */
  registry(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<RegistryAnswer>;
  /** Sends the signal to a part and all it started; resolves when it is gone. */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;
  /** Sends a part a signal that does not end it. */
  signal(name: string, signal: 'SIGSTOP' | 'SIGCONT'): void;
  isReady(name: string): Promise<boolean>;
  /** Kills a part and keeps it down until `resumeRestart`. */
  pauseRestart(name: string): Promise<void>;
  resumeRestart(name: string): Promise<void>;
  /** Decision log lines so far. */
  decisions(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Everything every part has logged, as one text. */
  allLogs(): Promise<string>;
  stop(): Promise<void>;
};

const GONE_POLL_MS = 10;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const createTokens = (running: ProductProcess, providerOrigin: string) => {
  const ask = promisify(execFile);
  const token = async (...args: string[]): Promise<string> => {
    const command = ['--disable-warning=ExperimentalWarning', 'demo/token.ts', ...args];
    const env = { ...process.env, ...running.environment };
    return (await ask(process.execPath, command, { cwd: ROOT, env })).stdout.trim();
  };
  return {
    token,
    expiredToken: async (user: string): Promise<string> => {
      const claims = decodeJwt(await token(user));
      const file = join(running.localDirectory, 'state', 'mini-entra', 'keys.json');
      const ring = JSON.parse(readFileSync(file, 'utf8')) as Record<string, JWK[]>;
      const key = ring[String(claims['tid'])]?.[0];
      if (key === undefined) throw new Error(`the identity provider has no key for ${user}`);
      const ended = Math.floor(Date.now() / 1000) - 3600;
      return new SignJWT({ ...claims, iat: ended - 3600, nbf: ended - 3600, exp: ended })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid ?? '' })
        .sign(await importJWK(key, 'RS256'));
    },
    setProviderFault: (kind: string) => control(providerOrigin, 'POST', { kind }),
    clearProviderFaults: () => control(providerOrigin, 'DELETE'),
  };
};

const control = async (origin: string, method: string, order?: object): Promise<void> => {
  const body = order === undefined ? {} : { body: JSON.stringify(order) };
  const response = await fetch(`${origin}/control/faults`, { method, ...body });
  if (!response.ok) throw new Error(`the identity provider refused the order: ${await response.text()}`);
};

const createRegistry = (url: string, adminToken: () => Promise<string>): Product['registry'] => {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await adminToken()}`,
        'x-change-reason': 'test',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get('etag') ?? '',
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
  };
};

const createParts = ({ localDirectory, environment }: ProductProcess) => {
  const pidOf = (name: string): number => Number(readFileSync(join(localDirectory, 'pids', name), 'utf8'));
  const holdFile = (name: string): string => join(localDirectory, 'hold', name);
  const kill = async (name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const pid = pidOf(name);
    process.kill(-pid, signal);
    while (isAlive(pid)) await sleep(GONE_POLL_MS);
  };
  return {
    kill,
    signal: (name: string, signal: 'SIGSTOP' | 'SIGCONT'): void => void process.kill(-pidOf(name), signal),
    isReady: async (name: string): Promise<boolean> => {
      const operations = {
        kind: 'unix',
        path: join(environment['MCPGW_RUNTIME_DIR'] ?? '', `${name}-ops.sock`),
      } as const;
      const status =
        name === 'envoy'
          ? await getStatus(loopback(Number(environment['ENVOY_ADMIN_PORT'])), '/ready')
          : await getStatus(operations, '/readyz');
      return status === 200;
    },
    pauseRestart: async (name: string): Promise<void> => {
      mkdirSync(join(localDirectory, 'hold'), { recursive: true });
      writeFileSync(holdFile(name), '');
      await kill(name);
    },
    resumeRestart: async (name: string): Promise<void> => rmSync(holdFile(name), { force: true }),
  };
};

const createLogs = (logsDirectory: string) => ({
  decisions: async () =>
    readFileSync(join(logsDirectory, 'ext-authz.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"decision"'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter((line) => line['decision'] !== undefined),
  allLogs: async () =>
    readdirSync(logsDirectory)
      .map((name) => readFileSync(join(logsDirectory, name), 'utf8'))
      .join('\n'),
});

/**
 * Starts the whole product on ports of its own.
 * @throws with everything it printed if it does not start
 */
export const startProduct = async (overrides: Readonly<Record<string, string>> = {}): Promise<Product> => {
  const running = await startProductProcess(overrides);
  const { quickstart, environment, localDirectory } = running;
  const providerOrigin = new URL(quickstart.issuer).origin;
  const logsDirectory = join(localDirectory, 'logs');
  const tokens = createTokens(running, providerOrigin);
  const findUrl = (id: string): string => {
    const server = quickstart.servers.find((candidate) => candidate.id === id);
    if (server === undefined) throw new Error(`no server ${id} in quickstart.json`);
    return server.url;
  };
  return {
    quickstart,
    process: running,
    jwksUrl: `${providerOrigin}/${CONTOSO_TID}/discovery/v2.0/keys`,
    logsDirectory,
    serverUrl: findUrl,
    canonicalUrl: (id) => `${quickstart.gateway}/t/${quickstart.tenant}/mcp/${id}`,
    ...tokens,
    fingerprint: (token) => createHash('sha256').update(token).digest('hex').slice(0, 16),
    callsSeenBy: async (server) => {
      const port = environment[server === 'tracker' ? 'DEMO_TRACKER_PORT' : 'DEMO_REPORTS_PORT'];
      const response = await fetch(`http://127.0.0.1:${port}/debug/seen`);
      return (await response.json()) as SeenCall[];
    },
    registry: createRegistry(quickstart.registry, () => tokens.token('--admin')),
    ...createParts(running),
    ...createLogs(logsDirectory),
    stop: running.stop,
  };
};

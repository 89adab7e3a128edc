// The commands of this Go module as a bench uses them: the ext_authz peers as processes, and the load generator's report.
// They are built by `provision/run.mjs --with bench-peers`.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadService } from '#protos/service.ts';

/** The policy that ships with the product, as the OPA peer reads it. */
export const PLATFORM_POLICY = join(import.meta.dirname, '../../../policies/mcp');

const commandPath = (name: 'noop' | 'opa' | 'load'): string => {
  const folder = process.env['BENCH_PEERS_DIR'];
  if (folder === undefined)
    throw new Error('the peers are not built: start this by node provision/run.mjs --with bench-peers');
  return join(folder, name);
};

/** Room for the one line a run prints. */
const LINE_BYTES = 65_536;

export type Peer = { readonly pid: number; stop(): Promise<void> };

const whenServing = async (child: ChildProcess, name: string): Promise<void> => {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} does not start: ${complaint.trim()}`);
  });
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
};

const startCommand = async (
  name: 'noop' | 'opa',
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Peer> => {
  const child = spawn(commandPath(name), args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  await whenServing(child, name);
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      const ended = once(child, 'exit');
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await ended;
    },
  };
};

/** The floor of any ext_authz: allows everything. @param listen `unix:/path` or `host:port`. */
export const startNoop = (listen: string): Promise<Peer> => startCommand('noop', ['-listen', listen], {});

export type OpaOptions = {
  readonly listen: string;
  /** JSON of a tenant, or of a list of tenants, as snapshots hold them (core/tenant.ts). */
  readonly dataFile: string;
  readonly keysFile: string;
  readonly issuer: string;
  readonly audience: string;
  /** Files or folders of Rego; default: the platform's policy. */
  readonly policy?: readonly string[];
  /** Where the token is checked; default: in Go. `rego` is OPA's own builtin, as users of its Envoy plugin do. */
  readonly tokenCheck?: 'go' | 'rego';
  readonly tokenCache?: boolean;
  /** Go's garbage collector; default: Go's own (100). */
  readonly gogc?: number;
};

/** OPA's library as ext_authz. */
export const startOpa = (options: OpaOptions): Promise<Peer> => {
  const { listen, dataFile, keysFile, issuer, audience, gogc } = options;
  const policy = (options.policy ?? [PLATFORM_POLICY]).join(',');
  const files = ['-policy', policy, '-data', dataFile, '-keys', keysFile];
  const token = ['-issuer', issuer, '-audience', audience, '-token-check', options.tokenCheck ?? 'go'];
  const args = ['-listen', listen, ...files, ...token, `-token-cache=${options.tokenCache ?? false}`];
  return startCommand('opa', args, gogc === undefined ? {} : { GOGC: String(gogc) });
};

/** What evaluations of the platform's policy cost in OPA's own process, from the bytes of an input to the decision. */
export const measureOpa = async (
  inputsFile: string,
  seconds: number,
): Promise<{
  readonly sent: number;
  readonly allowed: number;
  readonly p50Us: number;
  readonly p99Us: number;
}> => {
  const args = ['-policy', PLATFORM_POLICY, '-measure', inputsFile, '-seconds', String(seconds)];
  const { stdout } = await promisify(execFile)(commandPath('opa'), args, { maxBuffer: LINE_BYTES });
  return JSON.parse(stdout);
};

/** Latencies in microseconds; `cpuUs` is what the generator itself spent. */
type Times = {
  readonly sent: number;
  readonly errors: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly cpuUs: number;
};

export type CheckReport = Times & { readonly allowed: number; readonly denied: number };

export type HttpReport = Times & {
  readonly status: Readonly<Record<string, number>>;
  /** Answers that are JSON-RPC errors, whatever their status. */
  readonly rpcErrors: number;
};

type LoadOptions = {
  readonly target: string;
  readonly connections: number;
  readonly seconds: number;
  /** Calls a second, evenly spaced; absent: a closed loop. */
  readonly rate?: number;
};

const runLoad = async (mode: string, options: LoadOptions, args: readonly string[]): Promise<unknown> => {
  const { target, connections, seconds, rate } = options;
  const common = ['-target', target, '-connections', String(connections), '-seconds', String(seconds)];
  const paced = rate === undefined ? [] : ['-rate', String(rate)];
  const { stdout } = await promisify(execFile)(commandPath('load'), [mode, ...common, ...paced, ...args], {
    maxBuffer: LINE_BYTES,
  });
  return JSON.parse(stdout);
};

/** Checks over HTTP/2. @param options.streams calls in flight on each connection. */
export const loadChecks = (
  options: LoadOptions & { readonly messagesFile: string; readonly streams: number },
): Promise<CheckReport> => {
  const args = ['-messages', options.messagesFile, '-streams', String(options.streams)];
  return runLoad('check', options, args) as Promise<CheckReport>;
};

/** Requests over HTTP/1.1, one at a time on each connection. */
export const loadRequests = (options: LoadOptions & { readonly requestsFile: string }): Promise<HttpReport> =>
  runLoad('http', options, ['-requests', options.requestsFile]) as Promise<HttpReport>;

/** Writes envoy.service.auth.v3.CheckRequest messages, given as proto-loader takes them, for `loadChecks`. */
export const writeMessages = (file: string, messages: readonly object[]): void => {
  const encode = loadService('envoy.service.auth.v3.Authorization')['Check']?.requestSerialize;
  if (encode === undefined) throw new Error('the Authorization service has no Check');
  writeFileSync(file, messages.map((message) => `${encode(message).toString('base64')}\n`).join(''));
};

export type HttpRequestLine = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Writes requests for `loadRequests`. */
export const writeRequests = (file: string, requests: readonly HttpRequestLine[]): void =>
  writeFileSync(file, requests.map((request) => `${JSON.stringify(request)}\n`).join(''));

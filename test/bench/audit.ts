// `npm run bench:audit`: what the audit costs a decision. The same Check service over gRPC with and without a chain, in
// rounds that alternate in one process, so that only the ratio is read. The steps before the record (token check, policy,
// exchange) are played and cost nothing here: a real decision is dearer, and the ratio nearer to 1.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, makeGenericClientConstructor, type requestCallback } from '@grpc/grpc-js';
import type { Identity } from '#core/identity.ts';
import { err, ok } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import { Secret } from '#core/secret.ts';
import { createDecisionSink } from '#ext-authz/audit/sink.ts';
import type { CheckParts } from '#ext-authz/check.ts';
import { authorizationService } from '#ext-authz/grpc-edge.ts';
import { loadService } from '#protos/service.ts';
import type { AuditChain } from '#runtime/audit/chain-writer.ts';
import { startProcessChain } from '#runtime/audit/process-chain.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { tenantAt } from '#test/support/feed-double.ts';
import { SERVER, TENANT } from '#test/support/guarded-call.ts';
import { SESSIONS } from '#test/support/session-world.ts';

const ROUNDS = 15;
const CHECKS = 2_000;
const IN_FLIGHT = 64;
const CALLERS = 500;

type Answer = { readonly status: { readonly code: number } };
type Client = { Check(message: object, done: requestCallback<Answer>): void; close(): void };

const message = (number: number): object => {
  const headers = { 'content-type': 'application/json', accept: '*/*', 'x-request-id': `request-${number}` };
  const header_map = {
    headers: Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
  };
  const raw_body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}');
  return {
    attributes: {
      request: { http: { method: 'POST', path: `/t/${TENANT}/mcp/${SERVER}`, header_map, raw_body } },
      context_extensions: { tenant: TENANT, server: SERVER },
    },
  };
};

const partsWith = (chain: Pick<AuditChain, 'append'>): CheckParts => {
  let caller = 0;
  const logger = createLogger('bench', 'info', { write: () => {} });
  return {
    world: () => ({ snapshot: { sequence: 1, tenants: [tenantAt(1, true)] }, freshAtMs: Date.now() }),
    revocations: createRevocationBook(),
    authenticator: {
      authenticate: async () => {
        caller = (caller + 1) % CALLERS;
        const principal = `["https://idp.example","directory","caller-${caller}"]`;
        const identity = {
          principal,
          kind: 'user',
          issuerId: 'home',
          relation: 'home',
          subject: principal,
          issuedAt: 0,
        } as Identity;
        return ok({ identity, token: new Secret('token') });
      },
    },
    policy: { judge: () => ({ ...ok({ obligations: {}, explain: [], lists: [] }), revision: 'bench@1' }) },
    askApproval: async () => err('nobody is asked'),
    sessions: SESSIONS,
    broker: { acquire: async () => ok({ token: null, source: 'none' }), purge: async () => {} },
    sink: createDecisionSink({ chain, logger, metrics: createMetrics('bench'), nowMs: Date.now }),
    publicUrl: 'https://gateway.example',
    deadlineMs: 4_500,
    recordDeadlineMs: 350,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
  };
};

const SERVICE = 'envoy.service.auth.v3.Authorization';
const CheckClient = makeGenericClientConstructor(loadService(SERVICE), SERVICE);

type Cost = { readonly wall: number; readonly cpu: number };
type Bench = { readonly name: string; round(): Promise<Cost>; stop(): Promise<void> };

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const createBench = async (name: string, path: string, chain: Pick<AuditChain, 'append'>): Promise<Bench> => {
  const stopServer = await startGrpcServer({ kind: 'unix', path }, [authorizationService(partsWith(chain))]);
  const client = new CheckClient(`unix:${path}`, credentials.createInsecure()) as unknown as Client;
  const ask = (number: number): Promise<void> =>
    new Promise((resolve, reject) => {
      client.Check(message(number), (error, answer) =>
        answer?.status.code === 0 ? resolve() : reject(error ?? new Error(JSON.stringify(answer))),
      );
    });
  return {
    name,
    round: async () => {
      const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < CHECKS) {
          next += 1;
          await ask(next);
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return { wall: performance.now() - startedAt, cpu: cpuMs() - cpuBefore };
    },
    stop: async () => {
      client.close();
      await stopServer();
    },
  };
};

const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(2);
  return `${at(0)} / ${at(0.5)} / ${at(1)}`;
};

const main = async (): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-bench-'));
  const chainOf = (durability: 'process' | 'disk') =>
    startProcessChain({
      process: durability,
      configuration: {
        stateDirectory: directory,
        keyFile: join(directory, 'audit.key'),
        signingKeyFile: join(directory, 'signing.key'),
        durability,
        segmentBytes: 64 * 1024 * 1024,
        checkpointMs: 60_000,
      },
      metrics: createMetrics('bench'),
      nowMs: Date.now,
    });
  const chains = { process: await chainOf('process'), disk: await chainOf('disk') };
  const off = await createBench('off', join(directory, 'off.sock'), { append: async () => {} });
  const on = [
    await createBench('process', join(directory, 'process.sock'), chains.process),
    await createBench('disk', join(directory, 'disk.sock'), chains.disk),
  ];
  const ratios = new Map<string, Cost[]>(on.map(({ name }) => [name, []]));
  for (const bench of [off, ...on]) await bench.round();
  for (let round = 0; round < ROUNDS; round += 1) {
    const base = await off.round();
    for (const bench of on) {
      const { wall, cpu } = await bench.round();
      ratios.get(bench.name)?.push({ wall: wall / base.wall, cpu: cpu / base.cpu });
    }
  }
  for (const [name, values] of ratios)
    for (const kind of ['cpu', 'wall'] as const) {
      const told = spread(values.map((value) => value[kind]));
      process.stdout.write(
        `audit ${name} / audit off, ${kind} time: ${told} (min / median / max of ${ROUNDS})\n`,
      );
    }
  for (const bench of [off, ...on]) await bench.stop();
  for (const chain of Object.values(chains)) await chain.stop();
  await rm(directory, { recursive: true });
};

await main();

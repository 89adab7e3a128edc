// A list of a hundred tools, cut to what its caller may use and held against what was approved, beside the same list through
// the same Envoy without ext_proc. The guard is a process of its own.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardOrdersToJson } from '#core/guard-orders.ts';
import { type BenchGroup, type Measured, read } from '#test/bench/core/row.ts';
import { expectResults } from '#test/bench/groups/expect.ts';
import { benchTools, entriesOf, listAnswer } from '#test/bench/listed-tools.ts';
import { loadRequests, writeRequests } from '#test/bench/peers/peers.ts';
import { ORDERS_HEADER, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createGuardProcess } from '#test/support/guard-process.ts';
import { ordersTools } from '#test/support/guarded-call.ts';

const TOOLS = 100;

/** Ids of the calls, in turn: no two clients count alike. */
const CALLS = Array.from({ length: 32 }, (_, at) => `call-${at}`);

/** The request header by which the server knows the id to answer under. */
const CALL_HEADER = 'x-test-call';

const PLAIN = 'list, no ext_proc';
const CUT = 'list, filtered';

const addedMs = (round: Parameters<ReturnType<typeof read>>[0]): number =>
  read(CUT, 'p50Ms')(round) - read(PLAIN, 'p50Ms')(round);

export const LISTS: BenchGroup = {
  id: 'lists',
  rows: [
    {
      id: 'list-added',
      title: `list of ${TOOLS} tools filtered, p50 added over no ext_proc`,
      needs: [CUT, PLAIN],
      unit: 'ms',
      ours: read(CUT, 'p50Ms'),
      peer: read(PLAIN, 'p50Ms'),
      figure: addedMs,
      figureUnit: 'ms',
      target: { atMost: 1 },
    },
  ],
  open: async ({ seconds }) => {
    const tools = benchTools(TOOLS);
    const guard = createGuardProcess({}, [], tools);
    const bench = await startGuardBench(guard.start);
    const directory = await mkdtemp(join(tmpdir(), 'mcpgw-lists-'));
    const answers = new Map(CALLS.map((id) => [id, listAnswer(entriesOf(tools), id)]));
    bench.server = (request, response) => {
      const answer = answers.get(String(request.headers[CALL_HEADER]));
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    };
    // Every second tool is one the caller may use.
    const names = tools.filter((_, at) => at % 2 === 0).map(({ name }) => name);
    const sequence = guard.sequence();
    // What ext_authz has worked out and sends along is the same in both: only ext_proc is passed by.
    const guards = { [PLAIN]: 'off', [CUT]: 'list' } as const;
    for (const [name, kind] of Object.entries(guards)) {
      const requests = CALLS.map((id) => {
        const orders = { ...ordersTools(names, { sequence, jsonRpcId: id }), guard: kind };
        const headers = { [ORDERS_HEADER]: JSON.stringify(guardOrdersToJson(orders)), [CALL_HEADER]: id };
        return { method: 'POST', path: '/', headers, body: '{}' } as const;
      });
      writeRequests(join(directory, name), requests);
    }
    return {
      measure: async (contender): Promise<Measured> => {
        const report = await loadRequests({
          target: bench.url,
          requestsFile: join(directory, contender),
          connections: 1,
          seconds,
        });
        expectResults(contender, report);
        return { p50Ms: report.p50Us / 1_000 };
      },
      close: async () => {
        await bench.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};

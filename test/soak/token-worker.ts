// One decision process of the soak: the broker as ext-authz starts it, and callers who use it all the time. Told what to do
// by the process that forked it, and gone with that.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from '#core/identity.ts';
import { Secret } from '#core/secret.ts';
import type { RunningBroker } from '#ext-authz/token/broker.ts';
import { startSharingBroker } from '#test/support/sharing-broker.ts';
import { EXPECTED_OID_HEADER } from '#test/support/token-oracle.ts';
import { type ProviderPlace, tenantOf, trackerServer } from '#test/support/token-world.ts';

export type WorkerOrders = {
  readonly provider: ProviderPlace;
  readonly oracleUrl: string;
  readonly secretsDirectory: string;
  readonly callers: readonly { readonly identity: Identity; readonly assertion: string }[];
};

export type WorkerFigures = {
  readonly calls: number;
  /** Calls that got no token, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** The longest a call waited for its token, milliseconds. */
  readonly longestMs: number;
};

type Caller = WorkerOrders['callers'][number];

/** As long as a check has (CHECK_DEADLINE_MS in ext-authz/main.ts). */
const DEADLINE_MS = 4_500;

/** Between two calls of one caller, milliseconds. */
const PAUSE_MS = { least: 30, most: 170 };

const figures = { calls: 0, refused: {} as Record<string, number>, longestMs: 0 };
let isStopping = false;

const call = async (
  broker: RunningBroker,
  orders: WorkerOrders,
  { identity, assertion }: Caller,
): Promise<void> => {
  const startedMs = performance.now();
  const acquired = await broker.acquire({
    tenant: tenantOf(orders.provider),
    server: trackerServer(),
    identity,
    assertion: new Secret(assertion),
    nowSeconds: Date.now() / 1000,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  figures.calls += 1;
  figures.longestMs = Math.max(figures.longestMs, performance.now() - startedMs);
  if (!acquired.ok) {
    const { reason } = acquired.error;
    figures.refused[reason] = (figures.refused[reason] ?? 0) + 1;
    return;
  }
  const authorization = `Bearer ${acquired.value.token?.reveal()}`;
  const headers = { authorization, [EXPECTED_OID_HEADER]: identity.oid ?? '' };
  await fetch(orders.oracleUrl, { method: 'POST', headers });
};

const useAllTheTime = async (broker: RunningBroker, orders: WorkerOrders, caller: Caller): Promise<void> => {
  while (!isStopping) {
    await call(broker, orders, caller);
    await sleep(PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least));
  }
};

process.once('disconnect', () => process.exit(1));
const [orders] = (await once(process, 'message')) as [WorkerOrders];
const { broker, stop } = await startSharingBroker(orders.secretsDirectory, process.env);
const using = orders.callers.map((caller) => useAllTheTime(broker, orders, caller));
process.send?.('ready');
await once(process, 'message');
isStopping = true;
await Promise.all(using);
await stop();
const report: WorkerFigures = figures;
process.send?.(report, () => process.exit(0));

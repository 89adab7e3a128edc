// Directories that the registry wants watched: opened, asked by the clock, closed; what is found goes to the registry, and
// callers of a directory that nothing is known of for too long are not let in. Graph, MSAL and egress guard are the real ones.

import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { GraphSignals } from '#core/issuer-signals.ts';
import { ok } from '#core/result.ts';
import type { RevocationReport } from '#core/revocation.ts';
import { Secret } from '#core/secret.ts';
import type { Tenant } from '#core/tenant.ts';
import { APPLICATION_IDS, CONTOSO_TID, FABRIKAM_TID } from '#demo/directory.ts';
import { createAskGraph } from '#ext-authz/graph/ask-graph.ts';
import { createGraphWatch, type GraphWatch } from '#ext-authz/revocation/graph-watch.ts';
import { watchCallers } from '#ext-authz/revocation/watch-callers.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { type NotificationReceiver, startNotificationReceiver } from '#test/support/notification-receiver.ts';
import type { Caller } from '#test/support/test-broker.ts';
import { startTokenWorld, type TokenWorld, tenantOf, trackerServer } from '#test/support/token-world.ts';

let world: TokenWorld;
let receiver: NotificationReceiver;
let metrics: Metrics;
let watch: GraphWatch;
let reports: RevocationReport[];
let clockSeconds: number;
let alice: Caller;
let bob: Caller;

const tenantWith = (id: string, changes: Partial<GraphSignals> = {}): Tenant => {
  const tenant = tenantOf(world.provider);
  const graph: GraphSignals = {
    clientId: APPLICATION_IDS.gatewayDirectory,
    secretName: 'gateway-directory',
    graphUrl: world.provider.origin,
    pollSeconds: 3_600,
    notifications: false,
    ...changes,
  };
  return { ...tenant, id, issuers: tenant.issuers.map((issuer) => ({ ...issuer, signals: { graph } })) };
};

/** A tenant reaches secrets of its own only. */
const giveSecret = async (tenantId: string): Promise<void> => {
  const { secretsDirectory } = world;
  await mkdir(join(secretsDirectory, tenantId));
  await copyFile(
    join(secretsDirectory, 'gateway-directory'),
    join(secretsDirectory, tenantId, 'gateway-directory'),
  );
};

const follow = (...tenants: Tenant[]): void => watch.follow({ sequence: 1, tenants });
type Told = { kind: 'look-at-users'; oids: string[] } | { kind: 'sweep-now' | 'renew-subscription' };
const hint = (issuerId: string, tid: string, told: Told, tenantId = 'default'): void =>
  watch.hint({ id: 'h1', at: new Date().toISOString(), tenantId, issuerId, tid, ...told });

const questions = (): number => world.provider.control.graph.questions;
const rounds = async (): Promise<number> => {
  const { body } = await metrics.render();
  return [...body.matchAll(/^mcpgw_graph_rounds_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
};
/** Both directories of each tenant, asked to the end. */
const firstRounds = (tenants = 1) => expect.poll(rounds).toBe(2 * tenants);

beforeEach(async () => {
  world = await startTokenWorld();
  [alice, bob] = await Promise.all([world.user('alice'), world.user('bob')]);
  reports = [];
  metrics = createMetrics('test');
  receiver = await startNotificationReceiver();
  clockSeconds = Math.floor(Date.now() / 1_000) + 5;
  watch = createGraphWatch({
    ask: createAskGraph(createEgressGuard({ allowPrivate: true, allowedHosts: [] }).fetch),
    broker: world.startBroker().broker,
    report: async (report) => {
      reports.push(report);
      return ok({ state: 'recorded', id: 'r1', changed: true });
    },
    openChannel: async ({ tenantId, issuerId }) => {
      const notificationUrl = `${receiver.origin}/${tenantId}/${issuerId}`;
      return ok({ notificationUrl, clientState: new Secret('said-with-each') });
    },
    shared: createMemoryState(() => clockSeconds * 1_000),
    holder: 'this process',
    logger: createLogger('test', 'silent'),
    metrics,
    nowSeconds: () => clockSeconds,
  });
  return async () => {
    watch.stop();
    receiver.stop();
    await world.stop();
  };
});

describe('directories that the registry wants watched', () => {
  it('are asked from the moment they are named, and whoever is signed out there is reported', async () => {
    watch.follow({ sequence: 1, tenants: [tenantOf(world.provider)] });
    watch.note('default', bob.identity);
    follow(tenantWith('default', { pollSeconds: 1 }));
    watch.note('default', bob.identity);
    watch.note('default', alice.identity);
    world.provider.control.world.setEnabled('bob', false);
    await expect.poll(() => reports).toHaveLength(1);
    expect(reports[0]).toEqual({
      tenantId: 'default',
      target: { kind: 'directory-user', tid: CONTOSO_TID, oid: bob.identity.oid },
      notBefore: clockSeconds,
      source: 'graph',
      reason: 'the account was disabled',
    });
  });

  it('are looked into at once when somebody tells of a person, for the tenant and issuer that were told', async () => {
    await giveSecret('other');
    follow(tenantWith('default'), tenantWith('other'));
    await firstRounds(2);
    for (const tenantId of ['default', 'other']) watch.note(tenantId, bob.identity);
    world.provider.control.world.setEnabled('bob', false);
    const oids = [bob.identity.oid ?? ''];
    hint('fabrikam', CONTOSO_TID, { kind: 'look-at-users', oids });
    hint('contoso', FABRIKAM_TID, { kind: 'look-at-users', oids });
    hint('contoso', CONTOSO_TID, { kind: 'look-at-users', oids: [alice.identity.oid ?? ''] });
    hint('contoso', CONTOSO_TID, { kind: 'look-at-users', oids });
    await expect.poll(() => reports.map(({ tenantId }) => tenantId)).toEqual(['default']);
    hint('contoso', CONTOSO_TID, { kind: 'sweep-now' }, 'other');
    await expect.poll(() => reports.map(({ tenantId }) => tenantId)).toEqual(['default', 'other']);
  });

  it('keep the people they know when their settings change, and are left when they are named no more', async () => {
    follow(tenantWith('default'));
    await firstRounds();
    watch.note('default', bob.identity);
    world.provider.control.world.setEnabled('bob', false);
    follow(tenantWith('default', { maxStaleSeconds: 60 }));
    await expect.poll(() => reports).toHaveLength(1);
    follow();
    watch.note('default', alice.identity);
    world.provider.control.world.setEnabled('alice', false);
    hint('contoso', CONTOSO_TID, { kind: 'sweep-now' });
    expect(reports).toHaveLength(1);
  });
});

describe('a standing order to be told of changes', () => {
  const orders = () => [...world.provider.control.graph.subscriptions.values()];
  const addresses = () => orders().map(({ notificationUrl }) => notificationUrl);

  it('is given for each directory of an issuer that asks for it, and again when it is in danger', async () => {
    follow(tenantWith('default', { notifications: true }));
    const each = [`${receiver.origin}/default/contoso`, `${receiver.origin}/default/fabrikam`];
    await expect.poll(() => addresses().toSorted()).toEqual(each);
    world.provider.control.graph.subscriptions.clear();
    hint('contoso', CONTOSO_TID, { kind: 'renew-subscription' });
    await expect.poll(addresses).toEqual([`${receiver.origin}/default/contoso`]);
  });

  it('is not given where nobody asks for it', async () => {
    follow(tenantWith('default'));
    await firstRounds();
    hint('contoso', CONTOSO_TID, { kind: 'renew-subscription' });
    hint('contoso', CONTOSO_TID, { kind: 'sweep-now' });
    await expect.poll(questions).toBeGreaterThanOrEqual(3);
    expect(orders()).toEqual([]);
  });
});

describe('a caller whose directory is watched', () => {
  const authenticate = async (caller: Caller) => {
    const authenticator = watchCallers(
      { authenticate: async () => ok({ identity: caller.identity, token: caller.assertion }) },
      watch,
    );
    const at = { tenant: tenantOf(world.provider), server: trackerServer(), nowSeconds: clockSeconds };
    const target = { method: 'POST', url: 'https://gateway.example/mcp/tracker' };
    const call = { ...at, target, headers: new Map(), signal: AbortSignal.timeout(1_000) };
    const outcome = await authenticator.authenticate(call);
    return outcome.ok ? 'let in' : outcome.error.reason;
  };

  it('is refused when nothing was learnt of it for too long, and let in when something is', async () => {
    world.provider.control.graph.fault = { status: 503, body: {} };
    follow(tenantWith('default', { maxStaleSeconds: 120 }));
    await firstRounds();
    expect(await authenticate(alice)).toBe('let in');
    clockSeconds += 121;
    expect(await authenticate(alice)).toBe('directory_stale');
    world.provider.control.graph.fault = undefined;
    hint('contoso', CONTOSO_TID, { kind: 'sweep-now' });
    await expect.poll(() => authenticate(alice)).toBe('let in');
  });

  it('is let in whatever becomes of Graph, where the tenant sets no bound', async () => {
    world.provider.control.graph.fault = { status: 503, body: {} };
    follow(tenantWith('default'));
    await firstRounds();
    clockSeconds += 100_000;
    expect(await authenticate(alice)).toBe('let in');
  });

  it('is looked at from its first call on, though it was refused', async () => {
    world.provider.control.graph.fault = { status: 503, body: {} };
    follow(tenantWith('default', { maxStaleSeconds: 120 }));
    await firstRounds();
    clockSeconds += 121;
    expect(await authenticate(bob)).toBe('directory_stale');
    world.provider.control.graph.fault = undefined;
    world.provider.control.world.setEnabled('bob', false);
    hint('contoso', CONTOSO_TID, { kind: 'sweep-now' });
    await expect.poll(() => reports).toHaveLength(1);
  });
});

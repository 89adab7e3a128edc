// The clock of a machine is set an hour forward or back while our services run: calls go on, changes arrive, and what is
// bounded in time stays so.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExtAuthzProcess, startExtAuthzProcess } from '#test/support/ext-authz-process.ts';
import { httpCall } from '#test/support/http-call.ts';
import { until } from '#test/support/xds-gateway.ts';
import { type ProcessWorld, startProcessWorld } from '#test/support/xds-process-world.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { tenantOf } from '#test/support/xds-world.ts';

const HOUR_MS = 3_600_000;
const PRELOAD = ['--import', join(import.meta.dirname, '../support/shifted-clock.ts')];

/** A registry says every five seconds that it is there. */
const HEARD_MS = 20_000;

describe('xds-server', () => {
  let world: ProcessWorld;
  let [one, two]: Upstream[] = [];

  beforeEach(async () => {
    world = await startProcessWorld();
    world.environment['CLOCK_FILE'] = join(world.directory, 'clock');
    [one, two] = await Promise.all([startUpstream('one'), startUpstream('two')]);
  });
  afterEach(async () => {
    await world.stop();
    await Promise.all([one?.stop(), two?.stop()]);
  });

  it('goes on when its clock is set, in either direction, and knows how old its snapshot is', async () => {
    const registry = await world.startRegistry();
    const serve = (upstream?: Upstream) =>
      registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream?.url ?? ''] } }));
    const leadsTo = (name: string) =>
      until(
        `calls reach ${name}`,
        async () =>
          (await httpCall(world.origin, '/mcp/one').catch(() => undefined))?.text.includes(name) === true,
        HEARD_MS,
      );
    serve(one);
    const xds = world.run('xds-server/main.ts', PRELOAD);
    world.run('envoy/main.ts');
    await leadsTo('"one"');
    const setClock = async (offsetMs: number): Promise<void> => {
      await writeFile(world.environment['CLOCK_FILE'] ?? '', String(offsetMs));
      xds.kill('SIGUSR2');
    };
    const age = async () => Number((await world.readiness())['snapshotAgeSeconds']);

    await setClock(HOUR_MS);
    await until('it is an hour older than it was, or has heard again', async () => (await age()) >= 0);
    await until('the registry has said that it is there', async () => (await age()) < 60, HEARD_MS);
    serve(two);
    await leadsTo('"two"');

    await setClock(-HOUR_MS);
    expect(await age()).toBeGreaterThanOrEqual(0);
    serve(one);
    await leadsTo('"one"');

    await registry.stop();
    await setClock(-3 * HOUR_MS);
    await until('it grows older all the same', async () => (await age()) >= 3, HEARD_MS);
    expect(await age()).toBeLessThan(600);
    expect((await httpCall(world.origin, '/mcp/one')).status).toBe(200);
  }, 90_000);
});

describe('ext-authz', () => {
  const MAX_STALE_SECONDS = 15;
  let extAuthz: ExtAuthzProcess;

  beforeEach(async () => {
    extAuthz = await startExtAuthzProcess(
      { NODE_OPTIONS: PRELOAD.join(' ') },
      { maxStaleSeconds: MAX_STALE_SECONDS },
    );
  }, 90_000);
  afterEach(() => extAuthz.stop());

  const setClock = async (offsetMs: number): Promise<void> => {
    await writeFile(extAuthz.environment['CLOCK_FILE'] ?? '', String(offsetMs));
    extAuthz.signal('SIGUSR2');
  };
  const answers = (reason: string) =>
    until(`calls are answered with ${reason}`, async () => (await extAuthz.ask('clock')) === reason, 40_000);

  it('refuses a tenant that bears no old snapshot until it has heard the registry, if the clock is set forward', async () => {
    let hours = 0;
    const isRefused = async (): Promise<boolean> => {
      hours += 1;
      await setClock(hours * HOUR_MS);
      return (await extAuthz.ask('clock')) === 'snapshot_stale';
    };
    // The registry may be heard between the two; then it is set once more.
    await until('calls are refused', isRefused);
    await answers('token_missing');
  }, 90_000);

  it('serves it no longer than it bears, though the clock is set back meanwhile', async () => {
    await setClock(-HOUR_MS);
    await answers('token_missing');
    await extAuthz.loseRegistry();
    await setClock(-2 * HOUR_MS);
    expect(await extAuthz.ask('clock')).toBe('token_missing');
    await answers('snapshot_stale');
  }, 120_000);
});

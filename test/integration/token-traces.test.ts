// Spans of token exchanges: the real SDK to a collector over HTTP, exchanges at mini-entra.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { startTracing } from '#runtime/tracing/start-tracing.ts';
import { NO_TRACING, type Tracing } from '#runtime/tracing/tracing.ts';
import { type OtlpReceiver, startOtlpReceiver } from '#test/support/otlp-receiver.ts';
import { startTokenWorld, type TokenWorld, trackerServer } from '#test/support/token-world.ts';

let world: TokenWorld;
let receiver: OtlpReceiver;
let metrics: Metrics;

beforeAll(async () => {
  world = await startTokenWorld();
  receiver = await startOtlpReceiver();
});
afterAll(async () => {
  await receiver.stop();
  await world.stop();
});
afterEach(() => {
  world.provider.control.faults.clear();
  receiver.spans.length = 0;
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
});

const start = async (environment: Readonly<Record<string, string>>): Promise<Tracing> => {
  Object.assign(process.env, environment);
  metrics = createMetrics('test');
  return startTracing('ext-authz', metrics);
};

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** An exchange for alice on account of a request with this header. */
const exchange = async (tracing: Tracing, traceparent?: string) => {
  const { broker } = world.startBroker({ tracing });
  const alice = await world.user('alice');
  return broker.acquire({
    tenant: world.tenant,
    server: trackerServer(),
    ...alice,
    cause: { requestId: 'request-1', ...(traceparent === undefined ? {} : { traceparent }) },
    nowSeconds: alice.identity.issuedAt,
    signal: AbortSignal.timeout(20_000),
  });
};

describe('a span of an exchange', () => {
  it('is shown in the trace of the request it was made for, and waits for nobody who stops', async () => {
    const tracing = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    expect((await exchange(tracing, `00-${TRACE}-${SPAN}-01`)).ok).toBe(true);
    world.provider.control.faults.add({ grant: 'on_behalf_of', kind: 'blocked' });
    expect((await exchange(tracing, 'no-trace')).ok).toBe(false);
    await tracing.stop();
    const [good, bad] = receiver.spans;
    expect(good).toMatchObject({
      name: 'token exchange',
      traceId: TRACE,
      parentSpanId: SPAN,
      facts: {
        'mcpgw.tenant': 'default',
        'mcpgw.server': 'tracker',
        'mcpgw.token.mode': 'obo',
        'mcpgw.outcome': 'ok',
        'server.address': '127.0.0.1',
        'http.response.status_code': 200,
      },
      resource: { 'service.name': 'mcpgw-ext-authz', 'deployment.environment.name': 'test' },
    });
    expect(bad).toMatchObject({
      facts: { 'mcpgw.outcome': 'access_blocked', 'http.response.status_code': 400 },
      status: { code: 2, message: 'access_blocked' },
    });
    expect([bad?.traceId === TRACE, bad?.parentSpanId]).toEqual([false, undefined]);
    expect((await metrics.render()).body).toMatch(/trace_spans_total\{outcome="sent",.*\} 2/);
    expect(receiver.bodies.join()).not.toMatch(/eyJ|secret|alice|request-1/);
  });

  it('is not made where the client’s trace is not sampled, or nobody asked for one', async () => {
    const tracing = await start({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}/v1/traces`,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    await exchange(tracing, `00-${TRACE}-${SPAN}-00`);
    await exchange(tracing);
    await exchange(tracing, `00-${TRACE}-${SPAN}-01`);
    await tracing.stop();
    expect(receiver.spans).toMatchObject([{ traceId: TRACE }]);
    expect(await start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' })).toBe(NO_TRACING);
  });

  it('is lost with a collector that is away, and no call, exchange or stop waits for it', async () => {
    const gone = await startOtlpReceiver();
    await gone.stop();
    const tracing = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: gone.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    });
    expect((await exchange(tracing)).ok).toBe(true);
    await expect
      .poll(async () => (await metrics.render()).body)
      .toMatch(/trace_spans_total\{outcome="lost",.*\} 1/);
    expect((await exchange(tracing)).ok).toBe(true);
    await tracing.stop();
  });
});

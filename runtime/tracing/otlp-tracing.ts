// Spans by OpenTelemetry's own SDK, sent as OTLP over HTTP. The collector is named by the operator in the environment, as
// the databases are: no tenant can, so it is not asked through the egress guard. Nothing global is registered.

import {
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type TracerProviderOptions,
} from '@opentelemetry/sdk-trace';
import type { Metrics } from '#runtime/metrics.ts';
import { parseTraceparent } from '#runtime/tracing/traceparent.ts';
import type { Tracing } from '#runtime/tracing/tracing.ts';
import type { TracingConfiguration } from '#runtime/tracing/tracing-configuration.ts';

const BATCH = 512;

/** A collector that is away must not keep a service from stopping. */
const STOP_MS = 2_000;

type Resource = NonNullable<TracerProviderOptions['resource']>;

const resourceOf = (attributes: Readonly<Record<string, string>>): Resource => ({
  attributes,
  merge: (other) =>
    other === null
      ? resourceOf(attributes)
      : resourceOf({ ...attributes, ...other.attributes } as Record<string, string>),
  getRawAttributes: () => Object.entries(attributes),
});

const samplerOf = ({ sampler, ratio }: TracingConfiguration): Sampler => {
  const own = sampler.replace('parentbased_', '');
  const root =
    own === 'always_on'
      ? new AlwaysOnSampler()
      : own === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return own === sampler ? root : new ParentBasedSampler({ root });
};

/** The exporter, and what became of what it was given: the library tells nobody. */
const countedExporter = (exporter: SpanExporter, metrics: Metrics): SpanExporter => {
  const spans = metrics.counter('trace_spans_total', 'Spans given to the collector by outcome', ['outcome']);
  return {
    export: (batch, done) =>
      exporter.export(batch, (result) => {
        spans.inc({ outcome: result.code === 0 ? 'sent' : 'lost' }, batch.length);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
};

const contextOf = (traceparent: string | undefined) => {
  const parent = parseTraceparent(traceparent);
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, context);
};

/** Tracing to the collector that the exporter finds in the environment. */
export const createOtlpTracing = (configuration: TracingConfiguration, metrics: Metrics): Tracing => {
  const { queueSize, delayMs, resource } = configuration;
  const processor = new BatchSpanProcessor({
    exporter: countedExporter(new OTLPTraceExporter(), metrics),
    scheduledDelayMillis: delayMs,
    maxQueueSize: queueSize,
    maxExportBatchSize: Math.min(BATCH, queueSize),
  });
  const provider = new TracerProvider({
    resource: resourceOf(resource),
    sampler: samplerOf(configuration),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer('mcp-security-gateway');
  return {
    begin: (name, { traceparent, facts }) => {
      const span = tracer.startSpan(
        name,
        { kind: SpanKind.CLIENT, attributes: facts },
        contextOf(traceparent),
      );
      return ({ facts: learnt, failure }) => {
        span.setAttributes(learnt);
        if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
        span.end();
      };
    },
    stop: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_MS);
      await Promise.race([provider.shutdown().catch(() => undefined), promise]);
      clearTimeout(timer);
    },
  };
};

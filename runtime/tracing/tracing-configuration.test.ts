// The standard variables, as they are written elsewhere.

import { describe, expect, it } from 'vitest';
import { readTracingConfiguration } from '#runtime/tracing/tracing-configuration.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318' };
const read = (environment: Readonly<Record<string, string>>) =>
  readTracingConfiguration('ext-authz', environment);

describe('readTracingConfiguration()', () => {
  it('traces where a collector is named, for all signals or for traces, and nowhere else', () => {
    expect(read({})).toBeUndefined();
    expect(read(ENDPOINT)).toEqual({
      resource: { 'service.name': 'mcpgw-ext-authz' },
      sampler: 'parentbased_always_on',
      ratio: 1,
      delayMs: 5_000,
      queueSize: 2_048,
    });
    expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector.example/v1/traces' })).toBeDefined();
    expect(read({ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  });

  it('takes names from the resource’s attributes, and the service’s own name over theirs', () => {
    const OTEL_RESOURCE_ATTRIBUTES =
      'service.name=a, deployment.environment.name=pre%20production,faulty,=none,bad=%';
    const resource = { 'service.name': 'a', 'deployment.environment.name': 'pre production', bad: '%' };
    expect(read({ ...ENDPOINT, OTEL_RESOURCE_ATTRIBUTES })?.resource).toEqual(resource);
    const named = read({ ...ENDPOINT, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'b' });
    expect(named?.resource).toEqual({ ...resource, 'service.name': 'b' });
  });

  it('names every fault', () => {
    expect(() =>
      read({ ...ENDPOINT, OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_TRACES_SAMPLER_ARG: '2' }),
    ).toThrow(/OTEL_TRACES_SAMPLER: expected one of(.|\n)*OTEL_TRACES_SAMPLER_ARG: expected a number/);
  });
});

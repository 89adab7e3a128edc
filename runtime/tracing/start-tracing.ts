// Whether a service traces at all, and the SDK loaded where it does.

import type { Metrics } from '#runtime/metrics.ts';
import { NO_TRACING, type Tracing } from '#runtime/tracing/tracing.ts';
import { readTracingConfiguration } from '#runtime/tracing/tracing-configuration.ts';

/**
 * The tracing of a service, as the standard variables say (OTEL_EXPORTER_OTLP_ENDPOINT and its kin).
 * @throws GatewayError `config_invalid`
 */
export const startTracing = async (service: string, metrics: Metrics): Promise<Tracing> => {
  const configuration = readTracingConfiguration(service);
  if (configuration === undefined) return NO_TRACING;
  // Loaded where it is wanted only: most installations have no collector.
  const { createOtlpTracing } = await import('#runtime/tracing/otlp-tracing.ts');
  return createOtlpTracing(configuration, metrics);
};

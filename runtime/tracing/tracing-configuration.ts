// The variables of OpenTelemetry that its libraries leave to whoever wires them. Those of the exporter (endpoint, headers,
// timeout, compression, certificates) it reads itself.

import { err, ok, type Result } from '#core/result.ts';
import { choice, type Environment, flag, integer, readConfig, text, type Variable } from '#runtime/config.ts';

export type TracingConfiguration = {
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: string;
  /** Share of traces, for the samplers that take one. */
  readonly ratio: number;
  readonly delayMs: number;
  readonly queueSize: number;
};

export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const parseRatio = (value: string): Result<number, string> => {
  const ratio = Number(value);
  return ratio >= 0 && ratio <= 1 ? ok(ratio) : err('expected a number from 0 to 1');
};

const ratio: Variable<number> = { name: 'OTEL_TRACES_SAMPLER_ARG', fallback: '1', parse: parseRatio };

const VARIABLES = {
  disabled: flag('OTEL_SDK_DISABLED', 'false'),
  endpoint: text('OTEL_EXPORTER_OTLP_ENDPOINT', ''),
  tracesEndpoint: text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ''),
  serviceName: text('OTEL_SERVICE_NAME', ''),
  resourceAttributes: text('OTEL_RESOURCE_ATTRIBUTES', ''),
  sampler: choice(...SAMPLERS)('OTEL_TRACES_SAMPLER', 'parentbased_always_on'),
  ratio,
  delayMs: integer(1, 3_600_000)('OTEL_BSP_SCHEDULE_DELAY', '5000'),
  queueSize: integer(1, 1_000_000)('OTEL_BSP_MAX_QUEUE_SIZE', '2048'),
};

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part.trim());
  } catch {
    return part.trim();
  }
};

/** `key=value,key=value`, values percent-encoded (OpenTelemetry, Resource SDK). */
const parseAttributes = (list: string): Record<string, string> =>
  Object.fromEntries(
    list
      .split(',')
      .map((pair) => pair.split('='))
      .filter(([key = '', ...value]) => key.trim() !== '' && value.length > 0)
      .map(([key = '', ...value]) => [key.trim(), decode(value.join('='))]),
  );

/** Undefined: no collector is named, or OpenTelemetry is switched off. @throws GatewayError `config_invalid` */
export const readTracingConfiguration = (
  service: string,
  environment?: Environment,
): TracingConfiguration | undefined => {
  const config = readConfig(VARIABLES, environment);
  if (config.disabled || (config.endpoint === '' && config.tracesEndpoint === '')) return undefined;
  const given = parseAttributes(config.resourceAttributes);
  const name = config.serviceName || (given['service.name'] ?? `mcpgw-${service}`);
  const { sampler, ratio: share, delayMs, queueSize } = config;
  return { resource: { ...given, 'service.name': name }, sampler, ratio: share, delayMs, queueSize };
};

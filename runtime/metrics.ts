// One Prometheus registry per service. Every name begins with `mcpgw_`; labels come from closed lists or the registry,
// never from a request, so nobody outside can grow them.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram };

/** Upper bounds in seconds: a decision takes well under a millisecond, a token exchange a second or two. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Upper bounds of a share of something. */
const SHARE_BUCKETS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1];

export type Metrics = {
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** A gauge whose value is asked for when the metrics are read. */
  reading(name: string, help: string, read: () => number): void;
  /** A histogram of seconds. */
  duration<L extends string>(name: string, help: string, labels?: readonly L[]): Histogram<L>;
  /** A histogram of shares, from 0 to 1. */
  share<L extends string>(name: string, help: string, labels?: readonly L[]): Histogram<L>;
  /** The text exposition format and its content type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
};

const PREFIX = 'mcpgw_';

/** Metrics of one service, with Node's own process metrics. Names are given without the prefix. */
export const createMetrics = (service: string): Metrics => {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const options = <L extends string>(name: string, help: string, labels: readonly L[]) => ({
    name: `${PREFIX}${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (name, help, labels = []) => new Counter(options(name, help, labels)),
    gauge: (name, help, labels = []) => new Gauge(options(name, help, labels)),
    reading: (name, help, read) => {
      const gauge: Gauge = new Gauge({ ...options(name, help, []), collect: () => gauge.set(read()) });
    },
    duration: (name, help, labels = []) =>
      new Histogram({ ...options(name, help, labels), buckets: DURATION_BUCKETS }),
    share: (name, help, labels = []) =>
      new Histogram({ ...options(name, help, labels), buckets: SHARE_BUCKETS }),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
};

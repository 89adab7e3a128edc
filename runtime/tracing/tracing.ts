// Spans of a service, for whoever collects them by OTLP. Off unless a collector is named, and then never in the way: spans
// wait in a bounded queue, are sent in batches, and are dropped where the collector cannot take them.

/** From closed lists or the registry, as labels of metrics are: no secret, no id of a person, no name of one. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

export type SpanEnd = {
  readonly facts: SpanFacts;
  /** What was asked for did not come about; a reason. */
  readonly failure?: string;
};

/** A span that runs. Its end is called once. */
export type RunningSpan = (end: SpanEnd) => void;

export type Tracing = {
  /**
   * Begins a span of a request that we make to somebody else.
   * @param options.traceparent header of the request it is made for, as it came; absent or malformed: a trace of its own
   */
  begin(
    name: string,
    options: { readonly traceparent?: string | undefined; readonly facts: SpanFacts },
  ): RunningSpan;
  /** Sends what waits, for two seconds at most. */
  stop(): Promise<void>;
};

export const NO_TRACING: Tracing = { begin: () => () => undefined, stop: async () => undefined };

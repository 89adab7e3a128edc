// Envoy's command line. A flag that is missing here is a guarantee that is missing, so they are data with reasons.

/** Seconds a listener's connections may go on after it is replaced or drained. */
export const DRAIN_SECONDS = 5;

/**
 * Arguments for the Envoy binary.
 * @param options.concurrency worker threads; 0 lets Envoy take one per core.
 */
export const envoyArguments = (options: {
  readonly bootstrapFile: string;
  readonly logLevel: string;
  readonly concurrency: number;
}): string[] => [
  '--config-path',
  options.bootstrapFile,
  // Without it a misspelt field is acknowledged and silently off.
  '--reject-unknown-dynamic-fields',
  // Hot restart needs shared memory that two Envoys on one machine would contend for.
  '--disable-hot-restart',
  '--drain-time-s',
  String(DRAIN_SECONDS),
  // Access log lines appear within a second; Envoy's default is ten.
  '--file-flush-interval-msec',
  '1000',
  '--log-level',
  options.logLevel,
  ...(options.concurrency === 0 ? [] : ['--concurrency', String(options.concurrency)]),
];

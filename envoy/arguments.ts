// Envoy's command line. A flag that is missing here is a guarantee that is missing, so they are data with reasons.

/** Longest time a listener's connections are spread over when they are asked to end, seconds. */
const MAX_CLOSING_SECONDS = 5;

/** Which Envoy of one place it is, so that the next one can take its listeners over. */
export type Succession = {
  /** Names the shared memory; equal for those that follow each other, and for nobody else on the machine. */
  readonly baseId: number;
  /** Where they meet; Envoy adds to the name. */
  readonly socketPath: string;
  /** 0 for the first; each next one is one more. */
  readonly epoch: number;
};

const succeeding = ({ baseId, socketPath, epoch }: Succession): string[] => [
  '--base-id',
  String(baseId),
  '--socket-path',
  socketPath,
  '--restart-epoch',
  String(epoch),
  // Figures of the one that leaves would be counted twice: each is scraped for itself.
  '--skip-hot-restart-parent-stats',
];

/** With DRAIN_SECONDS of 1 nothing may take longer than that. */
const closingSeconds = (drainSeconds: number): number => Math.min(MAX_CLOSING_SECONDS, drainSeconds);

/**
 * Arguments for the Envoy binary.
 * @param options.concurrency worker threads; 0 lets Envoy take one per core.
 * @param options.drainSeconds how long calls and streams may go on once it, or a listener of it, is to end.
 * @param options.succession absent: nobody takes over, and it needs no shared memory.
 */
export const envoyArguments = (options: {
  readonly bootstrapFile: string;
  readonly logLevel: string;
  readonly concurrency: number;
  readonly drainSeconds: number;
  readonly succession?: Succession | undefined;
}): string[] => [
  '--config-path',
  options.bootstrapFile,
  // Without it a misspelt field is acknowledged and silently off.
  '--reject-unknown-dynamic-fields',
  ...(options.succession === undefined ? ['--disable-hot-restart'] : succeeding(options.succession)),
  '--drain-time-s',
  String(closingSeconds(options.drainSeconds)),
  // The one before ends when its time is over, and must have had more of it than its connections were given.
  '--parent-shutdown-time-s',
  String(options.drainSeconds + 1),
  // Access log lines appear within a second; Envoy's default is ten.
  '--file-flush-interval-msec',
  '1000',
  '--log-level',
  options.logLevel,
  ...(options.concurrency === 0 ? [] : ['--concurrency', String(options.concurrency)]),
];

// Where the decision log is written: one file, and the one before it. It is for study and not for proof, which is the
// audit chain's: what the disk does not take in time is dropped and counted, and no call waits for it.

import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** Lines that wait for the disk, bytes: some thousand decisions. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export type LogFile = {
  /** Never throws and never waits. */
  append(line: string): void;
  /** Writes what waits. */
  stop(): Promise<void>;
};

class DecisionLogFile implements LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #lost: (lines: number, error?: string) => void;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #size: number;
  #writing: Promise<void> | undefined;

  constructor(
    path: string,
    options: { size: number; maxBytes: number; lost: (lines: number, error?: string) => void },
  ) {
    this.#path = path;
    this.#size = options.size;
    this.#maxBytes = options.maxBytes;
    this.#lost = options.lost;
  }

  append(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#lost(1);
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#start();
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      // What came after the last look and before this.
      if (this.#waiting.length > 0) this.#start();
    });
  }

  async stop(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      const bytes = this.#waitingBytes;
      this.#waiting = [];
      this.#waitingBytes = 0;
      try {
        await this.#rotate(bytes);
        await appendFile(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 });
        this.#size += bytes;
      } catch (thrown) {
        this.#lost(lines.length, GatewayError.from(thrown).message);
      }
    }
  }

  async #rotate(bytes: number): Promise<void> {
    if (this.#size === 0 || this.#size + bytes <= this.#maxBytes) return;
    await rename(this.#path, `${this.#path}.1`);
    this.#size = 0;
  }
}

/**
 * Goes on in the file that is there. Past `maxBytes` it becomes `{path}.1`, in place of the one that was.
 * @throws what the file system throws if the folder cannot be made.
 */
export const openLogFile = async (
  path: string,
  options: { readonly maxBytes: number; readonly logger: Logger; readonly metrics: Metrics },
): Promise<LogFile> => {
  await mkdir(dirname(path), { recursive: true });
  const dropped = options.metrics.counter('policy_decision_log_dropped_total', 'Evaluations not logged.');
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  const lost = (lines: number, error?: string): void => {
    dropped.inc(lines);
    if (error !== undefined) options.logger.error({ error }, 'policy decision log not written');
  };
  return new DecisionLogFile(path, { size, maxBytes: options.maxBytes, lost });
};

// One chain of one process, written as it happens: whatever arrives in one turn of the event loop is one write. A record
// counts when it is as durable as was asked; one that failed used no number and left nothing behind.

import { randomBytes } from 'node:crypto';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { type CheckpointSigner, signCheckpoint } from '#core/audit/checkpoint.ts';
import { formatHead } from '#core/audit/head.ts';
import { appendRecord, type ChainEnd, chainStart } from '#core/audit/record.ts';
import { type AuditEvent, type Subject, sealEvent } from '#core/audit/subject.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import type { AuditMetrics } from '#runtime/audit/audit-metrics.ts';
import type { ChainFiles } from '#runtime/audit/chain-files.ts';
import type { SubjectRing } from '#runtime/audit/subject-ring.ts';

/**
 * What an acknowledged record survives. `process`: the end of this process, also by kill -9; the operating system holds
 * it. `disk`: the end of the machine; every batch waits for fdatasync.
 */
export type Durability = 'process' | 'disk';

export type ChainParts = {
  readonly chain: string;
  readonly files: ChainFiles;
  readonly keys: AuditKeys;
  readonly signer: CheckpointSigner;
  readonly ring: SubjectRing;
  readonly durability: Durability;
  readonly checkpointEvery: { readonly records: number; readonly milliseconds: number };
  readonly metrics: AuditMetrics;
  readonly nowMs: () => number;
};

export type AuditChain = {
  /** Resolves when the event is on record. @throws GatewayError `store_failed` if it cannot be */
  append(event: AuditEvent): Promise<void>;
  /** Why the last batch could not be written; undefined while all is well. */
  fault(): string | undefined;
  /** Writes what waits, the closing record and a last checkpoint. */
  stop(): Promise<void>;
};

type Waiting = {
  readonly event: AuditEvent;
  readonly done: () => void;
  readonly failed: (error: GatewayError) => void;
};

/** Code of the error only: its message holds paths. */
const describeFault = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'failed';

class ChainWriter implements AuditChain {
  readonly #parts: ChainParts;
  #end: ChainEnd;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #lost = 0;
  #fault: string | undefined;
  #checkpoint: { readonly sequence: number; readonly atMs: number };

  readonly #timer: NodeJS.Timeout;

  constructor(parts: ChainParts) {
    this.#parts = parts;
    this.#end = chainStart(parts.chain);
    this.#checkpoint = { sequence: 0, atMs: parts.nowMs() };
    // Also a chain nobody adds to is signed to its end.
    this.#timer = setInterval(() => this.#writeCheckpoint(), parts.checkpointEvery.milliseconds).unref();
  }

  append(event: AuditEvent): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ event, done: resolve, failed: reject });
    this.#flushing ??= this.#flushSoon();
    return promise;
  }

  fault(): string | undefined {
    return this.#fault;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.append({ at: this.#now(), kind: 'close', body: {} }).catch(() => undefined);
    if (this.#fault === undefined) this.#writeCheckpoint();
    this.#parts.files.close();
  }

  #now(): string {
    return new Date(this.#parts.nowMs()).toISOString();
  }

  async #flushSoon(): Promise<void> {
    // After the I/O of this turn: everything that was read with it is decided and joins the batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#flush();
    this.#flushing = undefined;
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    const stopTimer = this.#parts.metrics.flush.startTimer();
    try {
      await this.#commit(batch.map(({ event }) => event));
      for (const { done } of batch) done();
    } catch (thrown) {
      this.#fault = describeFault(thrown);
      this.#lost += batch.length;
      this.#parts.metrics.failures.inc(batch.length);
      const error = new GatewayError('store_failed', `the audit cannot be written: ${this.#fault}`);
      for (const { failed } of batch) failed(error);
    }
    stopTimer();
  }

  /** All of the batch is on record afterwards, or none. */
  async #commit(events: readonly AuditEvent[]): Promise<void> {
    const { files, keys, ring, durability, metrics } = this.#parts;
    const principals = events.flatMap(({ about }) => (about === undefined ? [] : [about.principal]));
    const subjects = await ring.subjectsOf(new Set(principals));
    if (files.isFull()) this.#rotate();
    const { lines, end } = this.#encode([...this.#before(), ...events], subjects);
    files.write(lines);
    try {
      if (durability === 'disk') await files.sync();
      files.writeHead(formatHead(keys.current, end));
    } catch (thrown) {
      files.undo();
      throw thrown;
    }
    metrics.records.inc(end.sequence - this.#end.sequence);
    metrics.bytes.inc(lines.length);
    this.#end = end;
    this.#lost = 0;
    this.#fault = undefined;
    if (this.#isCheckpointDue()) this.#writeCheckpoint();
  }

  /** What the chain itself has to say before the next event. */
  #before(): AuditEvent[] {
    return this.#lost > 0 ? [{ at: this.#now(), kind: 'outage', body: { lost: this.#lost } }] : [];
  }

  #encode(
    events: readonly AuditEvent[],
    subjects: ReadonlyMap<string, Subject>,
  ): { readonly lines: string; readonly end: ChainEnd } {
    const { keys } = this.#parts;
    // At once: the system is asked for random bytes at the same price for one record as for a hundred.
    const nonces = randomBytes(NONCE_BYTES * events.length);
    let end = this.#end;
    let lines = '';
    for (const [at, event] of events.entries()) {
      const subject = event.about === undefined ? undefined : subjects.get(event.about.principal);
      const nonce = nonces.subarray(at * NONCE_BYTES, (at + 1) * NONCE_BYTES);
      const entry = sealEvent(event, end, { subject, nonce });
      const appended = appendRecord(keys.current, end, entry);
      lines += `${appended.line}\n`;
      end = appended.end;
    }
    return { lines, end };
  }

  #rotate(): void {
    // The end of a segment is where a chain may be cut by its owner, so it is signed.
    this.#writeCheckpoint();
    this.#parts.files.rotate();
  }

  #isCheckpointDue(): boolean {
    const { checkpointEvery, nowMs } = this.#parts;
    const { sequence, atMs } = this.#checkpoint;
    const age = nowMs() - atMs;
    // A clock that was set back must not put it off until it has come as far again.
    const isOld = age < 0 || age >= checkpointEvery.milliseconds;
    return isOld || sequence === 0 || this.#end.sequence - sequence >= checkpointEvery.records;
  }

  #writeCheckpoint(): void {
    if (this.#checkpoint.sequence === this.#end.sequence) return;
    const { files, signer, metrics } = this.#parts;
    try {
      files.appendCheckpoint(signCheckpoint(signer, { ...this.#end, at: this.#now() }));
      this.#checkpoint = { sequence: this.#end.sequence, atMs: this.#parts.nowMs() };
      metrics.checkpoints.inc();
    } catch {
      // The records stand without it; the metric of checkpoints stops growing.
      metrics.failures.inc();
    }
  }
}

/**
 * Opens a chain.
 * @param opening its first record, of kind `open`; it is written when this resolves.
 * @throws GatewayError `store_failed`
 */
export const openAuditChain = async (parts: ChainParts, opening: AuditEvent): Promise<AuditChain> => {
  const writer = new ChainWriter(parts);
  await writer.append(opening);
  return writer;
};

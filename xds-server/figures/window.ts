// Figures of the last so many milliseconds, in slices that fall out of the window one by one. Time is an argument, and
// must come from a clock that does not go back; if it does, what is new counts into the newest slice there is.

import { type CallFigures, LATENCY_BOUNDS_MS, latencyBucket, NO_FIGURES } from '#core/call-figures.ts';

/** What one call or attempt adds. */
export type Sample = { readonly failed: boolean; readonly latencyMs: number | undefined };

/** Sums that grow; the one mutable thing here, because each call of a fleet passes through it. */
export class Tally {
  calls = 0;
  errors = 0;
  readonly latency = new Uint32Array(LATENCY_BOUNDS_MS.length + 1);

  add({ failed, latencyMs }: Sample): void {
    this.calls += 1;
    if (failed) this.errors += 1;
    if (latencyMs === undefined) return;
    const bucket = latencyBucket(latencyMs);
    this.latency[bucket] = (this.latency[bucket] ?? 0) + 1;
  }

  addAll(other: Tally): void {
    this.calls += other.calls;
    this.errors += other.errors;
    other.latency.forEach((count, bucket) => {
      this.latency[bucket] = (this.latency[bucket] ?? 0) + count;
    });
  }

  figures(): CallFigures {
    return this.calls === 0
      ? NO_FIGURES
      : { calls: this.calls, errors: this.errors, latency: [...this.latency] };
  }
}

/** Slices of a window: what leaves it leaves in steps of a tenth. */
const SLICES = 10;

type Slice = { readonly index: number; readonly tally: Tally };

export class Window {
  readonly #sliceMs: number;
  #slices: readonly Slice[] = [];

  /** @param spanMs how far back it reaches. */
  constructor(spanMs: number) {
    this.#sliceMs = spanMs / SLICES;
  }

  add(sample: Sample, nowMs: number): void {
    const index = Math.floor(nowMs / this.#sliceMs);
    const newest = this.#slices.at(-1);
    const slice = newest !== undefined && newest.index >= index ? newest : { index, tally: new Tally() };
    slice.tally.add(sample);
    if (slice !== newest) this.#slices = [...this.#within(index), slice];
  }

  /** All of what is still in the window. */
  figures(nowMs: number): CallFigures {
    this.#slices = this.#within(Math.floor(nowMs / this.#sliceMs));
    const sum = new Tally();
    for (const { tally } of this.#slices) sum.addAll(tally);
    return sum.figures();
  }

  /** True once nothing is left in it. */
  isEmpty(nowMs: number): boolean {
    return this.#within(Math.floor(nowMs / this.#sliceMs)).length === 0;
  }

  #within(index: number): readonly Slice[] {
    return this.#slices.filter((slice) => slice.index > index - SLICES);
  }
}

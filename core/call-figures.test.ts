import { describe, expect, it } from 'vitest';
import {
  addFigures,
  type CallFigures,
  errorRate,
  latencyBucket,
  latencyMean,
  latencyPercentile,
  NO_FIGURES,
} from '#core/call-figures.ts';

const figuresOf = (latencies: readonly number[], errors = 0): CallFigures => {
  const latency = [...NO_FIGURES.latency];
  for (const ms of latencies) latency[latencyBucket(ms)] = (latency[latencyBucket(ms)] ?? 0) + 1;
  return { calls: latencies.length, errors, latency };
};

describe('latencyPercentile()', () => {
  it('should be unknown without calls', () => {
    expect(latencyPercentile(NO_FIGURES, 0.95)).toBeUndefined();
  });

  it('should name the bound of the bucket the percentile falls into', () => {
    const figures = figuresOf([
      ...Array.from({ length: 95 }, () => 7),
      ...Array.from({ length: 5 }, () => 900),
    ]);
    expect(latencyPercentile(figures, 0.95)).toBe(8);
    expect(latencyPercentile(figures, 0.96)).toBe(1_000);
    expect(latencyPercentile(figures, 0)).toBe(8);
  });

  it('should be infinite beyond the last bound', () => {
    expect(latencyPercentile(figuresOf([70_000]), 0.5)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('addFigures()', () => {
  it('should count what both counted', () => {
    const sum = addFigures(figuresOf([1, 2], 1), figuresOf([2, 3, 3], 1));
    expect(sum).toEqual(figuresOf([1, 2, 2, 3, 3], 2));
    expect(errorRate(sum)).toBeCloseTo(0.4);
    expect(errorRate(NO_FIGURES)).toBe(0);
  });
});

describe('latencyMean()', () => {
  it('should be unknown where no answer was timed', () => {
    expect(latencyMean({ ...NO_FIGURES, calls: 3, errors: 3 })).toBeUndefined();
  });

  it('should be the mean of the bounds calls fell below', () => {
    expect(latencyMean(figuresOf([9, 9, 39]))).toBe(20);
    expect(latencyMean(figuresOf([1e9]))).toBe(130_000);
  });
});

// Durations as proto3 JSON writes them.

/** `"1.5s"` for 1500. */
export const milliseconds = (ms: number): string => `${ms / 1000}s`;

// Policies of which it is known what they read, so that they are told less and asked less often. Pure.

/**
 * Modules by digest: their rules look names of grants up, each called one by itself, and `*` (called-names.ts), and of a call
 * that no limit concerns they read nothing but its method and its targets (answer-memory.ts). That holds for the rules as they
 * were compiled, and for others nobody has shown it: a rule such as "not whoever may also pay" reads names that are not
 * called, and one such as "not at night" the hour.
 */
const KNOWN: ReadonlySet<string> = new Set([
  'sha256:aba9b810675383c161794c66ece1ffd98e332656d833df9768cff1f97568b84f',
]);

/** @param wasmDigest of the module, as its manifest has it. */
export const areRulesKnown = (wasmDigest: string): boolean => KNOWN.has(wasmDigest);

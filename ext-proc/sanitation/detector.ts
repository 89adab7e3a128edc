// The one form of what looks for something in a text: built in, or a plug-in that runs in a worker of its own.

/** A place in a text, in UTF-16 code units as `String.prototype.slice` counts them. */
export type Finding = {
  /** One of the detector's kinds; told in metrics and logs, and named by rules. */
  readonly kind: string;
  readonly start: number;
  /** Behind the last unit; above `start`. */
  readonly end: number;
};

/** What the rules that name a detector set of it, put together. */
export type DetectorOptions = {
  readonly allowedHosts?: readonly string[];
  readonly countries?: readonly string[];
};

export type Detector = {
  /** As rules name it: `secrets`, `plugin:acme-codes`. */
  readonly name: string;
  /** Every kind of finding it can make. */
  readonly kinds: readonly string[];
  /**
   * Looks through one text.
   * @returns findings in any order; they may overlap. A promise that rejects is a detector that failed: the message that
   * was looked at is not passed.
   */
  scan(text: string, options: DetectorOptions): readonly Finding[] | Promise<readonly Finding[]>;
};

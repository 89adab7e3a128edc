// What is started, in words: programs that keep running, and tasks that run once between them. `after` says what must
// be ready first; everything else starts side by side.

export type ProgramUnit = {
  readonly kind: 'program';
  readonly name: string;
  /** Names of units that must be ready before this one starts. */
  readonly after: readonly string[];
  /** TypeScript entry point, relative to the checkout. */
  readonly script: string;
  /** Variables beside the inherited ones. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asked until it says yes. */
  readonly isReady: () => Promise<boolean>;
  /** Which process of it answers; undefined if none does. A successor is there once it changes. Absent: it has none. */
  readonly whoAnswers?: () => Promise<string | undefined>;
  /** How long it may take to end by itself, milliseconds. */
  readonly stopMs: number;
};

export type TaskUnit = {
  readonly kind: 'task';
  readonly name: string;
  readonly after: readonly string[];
  /** Resolves to what was done, for the screen. */
  readonly run: (signal: AbortSignal) => Promise<string>;
};

export type Unit = ProgramUnit | TaskUnit;

// What a benchmark is made of. A group starts a world with contenders; contenders take turns, round by round; a row reads
// one figure out of each round. A figure compares contenders of the same round, because only that carries over from one
// machine to the next. Whoever adds rows writes a group and names it in ../groups.ts.

/** What one turn of a contender gave, by name, e.g. `{ perSecond: 5120, cpuUs: 180 }`. */
export type Measured = Readonly<Record<string, number>>;

/** One round: what each contender gave. */
export type Round = Readonly<Record<string, Measured>>;

export type Target = { readonly atLeast: number } | { readonly atMost: number };

export type BenchRow = {
  /** For `--only`, e.g. `checks-opa`. */
  readonly id: string;
  /** What is compared, e.g. `checks/s ÷ OPA-Go, token cached`. */
  readonly title: string;
  /** Names of the contenders it reads. */
  readonly needs: readonly string[];
  /** Of the absolute figures, e.g. `checks/s`. */
  readonly unit: string;
  readonly ours: (round: Round) => number;
  /** Absent where there is nothing to compare with: then `figure` says what is judged. */
  readonly peer?: (round: Round) => number;
  /** The figure of one round; absent: ours ÷ peer. */
  readonly figure?: (round: Round) => number;
  /** Unit of the figure; absent: it is a ratio. */
  readonly figureUnit?: string;
  /** The median is held against it; absent: the row only informs. */
  readonly target?: Target;
};

export type GroupSettings = {
  /** How long one turn lasts. */
  readonly seconds: number;
  /** Names of the contenders that the chosen rows read; nobody else needs to be started. */
  readonly contenders: ReadonlySet<string>;
  /** True: a world that is small and quick to start is enough. */
  readonly isShort: boolean;
};

export type OpenGroup = {
  /**
   * One turn of a contender. `round` counts from 0, which warms up and is not told.
   * @throws one plain line if anything was answered other than it should be: a wrong answer must not win by being fast.
   */
  measure(contender: string, round: number): Promise<Measured>;
  close(): Promise<void>;
};

export type BenchGroup = {
  /** For `--only` too: all its rows. */
  readonly id: string;
  readonly rows: readonly BenchRow[];
  open(settings: GroupSettings): Promise<OpenGroup>;
};

/**
 * Node goes on compiling what is hot for some 30,000 checks, and a check costs twice as much before. Services run for days,
 * so nobody is told what their first seconds are like; a short run tells nothing anyway.
 */
const WARM_UP_SECONDS = { usual: 10, short: 2 };

/** How long a turn lasts: the one that warms up is never short. */
export const secondsOf = (
  round: number,
  { seconds, isShort }: Pick<GroupSettings, 'seconds' | 'isShort'>,
): number =>
  round > 0 ? seconds : Math.max(isShort ? WARM_UP_SECONDS.short : WARM_UP_SECONDS.usual, seconds);

/**
 * A figure of a contender in a round.
 * @throws if it was not measured, which is a fault of the row.
 */
export const figureOf = (round: Round, contender: string, name: string): number => {
  const value = round[contender]?.[name];
  if (value === undefined || !Number.isFinite(value))
    throw new Error(`no figure ${name} of ${contender} was measured`);
  return value;
};

/** Reads one figure of one contender, for `ours` and `peer`. */
export const read =
  (contender: string, name: string) =>
  (round: Round): number =>
    figureOf(round, contender, name);

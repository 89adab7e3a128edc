// What a run of the suite comes to, and what is run again. Pure.

export type FileCounts = {
  readonly file: string;
  readonly passed: number;
  readonly skipped: number;
  /** Full names; a file that broke in a hook, or while loading, has one entry for itself. */
  readonly failedTests: readonly string[];
};

export type TestRun = {
  readonly files: readonly FileCounts[];
  /** Errors nobody caught, and steps that failed outside any file. */
  readonly errors: number;
};

/** `late`: file and name of each test that failed at first and not when its file ran once more. */
export type Outcome = { readonly run: TestRun; readonly late: readonly string[] };

/** More broken files than this are no accident of a busy machine, and running them again would only take time. */
const MOST_FILES_AGAIN = 8;

const hasFailed = ({ failedTests }: FileCounts): boolean => failedTests.length > 0;

/** The files to run once more: those that failed, unless there are many. */
export const filesToRunAgain = ({ files }: TestRun): readonly string[] => {
  const failed = files.filter(hasFailed);
  return failed.length > MOST_FILES_AGAIN ? [] : failed.map(({ file }) => file);
};

/** A file's second run replaces its first one, whole: it has to pass by itself, from its beginning. */
export const withSecondRun = (first: TestRun, second: TestRun): Outcome => {
  const again = new Map(second.files.map((counts) => [counts.file, counts]));
  const late = first.files.flatMap(({ file, failedTests }) => {
    const stillFailed = new Set(again.get(file)?.failedTests ?? failedTests);
    return failedTests.filter((name) => !stillFailed.has(name)).map((name) => `${file}: ${name}`);
  });
  const files = first.files.map((counts) => again.get(counts.file) ?? counts);
  return { run: { files, errors: first.errors + second.errors }, late };
};

export const countFailures = ({ files, errors }: TestRun): number =>
  files.reduce((sum, { failedTests }) => sum + failedTests.length, errors);

/** `N passed, N failed`, and what was skipped if anything was. */
export const closingLine = (run: TestRun): string => {
  const passed = run.files.reduce((sum, file) => sum + file.passed, 0);
  const skipped = run.files.reduce((sum, file) => sum + file.skipped, 0);
  return `${passed} passed, ${countFailures(run)} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
};

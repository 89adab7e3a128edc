// What work costs, for tests that guard against work that grows without bounds: processor time of this thread, which is the
// same however busy the machine is.

const microseconds = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};

/** Processor time that `work` took, milliseconds. */
export const cpuTimeOf = (work: () => void): number => {
  const before = microseconds();
  work();
  return (microseconds() - before) / 1_000;
};

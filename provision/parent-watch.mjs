// Loaded before a program's own code (`--import`): ends the program when the process that started it is gone, so that
// nothing lingers on its ports after a kill -9 of npm, of the runner or of the supervisor.

/** How often the parent is looked for, and how long the program then has to end by itself, milliseconds. */
const POLL_MS = 500;
const GRACE_MS = 12_000;

const expected = Number(process.env.MCPGW_PARENT_PID) || process.ppid;
// Not for grandchildren: their parent is somebody else.
delete process.env.MCPGW_PARENT_PID;

const timer = setInterval(() => {
  if (process.ppid === expected) return;
  clearInterval(timer);
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref();
}, POLL_MS);
timer.unref();

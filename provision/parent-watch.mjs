// Loaded before a program's own code (`--import`): ends the program when the process that started it is gone, so that
// nothing lingers on its ports after a kill -9 of npm, of the runner or of the supervisor.

/** How often the parent is looked for, and how long the program then has to end by itself, milliseconds. */
const POLL_MS = 500;
const GRACE_MS = 12_000;

const expected = Number(process.env.MCPGW_PARENT_PID) || process.ppid;
/** A program that leads a process group of its own takes what it started along. */
const target = process.env.MCPGW_OWN_GROUP === 'true' ? -process.pid : process.pid;
// Not for grandchildren: their parent is somebody else.
delete process.env.MCPGW_PARENT_PID;
delete process.env.MCPGW_OWN_GROUP;

const timer = setInterval(() => {
  if (process.ppid === expected) return;
  clearInterval(timer);
  process.kill(target, 'SIGTERM');
  setTimeout(() => process.kill(target, 'SIGKILL'), GRACE_MS).unref();
}, POLL_MS);
timer.unref();

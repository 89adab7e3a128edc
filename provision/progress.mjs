// One line per step on stderr: what, how large, how long. While something takes long, a terminal shows the seconds
// in place and a log file gets a line now and then. stdout stays free for the program that is started.

/** How often the seconds move on a terminal, and how often a log hears of a long step, milliseconds. */
const TERMINAL_TICK_MS = 200;
const LOG_TICK_MS = 15_000;
const FRAMES = ['|', '/', '-', '\\'];

const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

/**
 * @param {{ quiet: boolean, stream?: NodeJS.WriteStream }} options quiet: say nothing about what is there already
 */
export const createProgress = ({ quiet, stream = process.stderr }) => {
  /** @type {Map<string, number>} label → start */
  const active = new Map();
  let timer;
  let frame = 0;

  const clear = () => stream.isTTY && stream.write('\r\x1b[2K');
  const describe = () => [...active].map(([label, start]) => `${label} ${seconds(start)}`).join(' · ');
  const tick = () => {
    frame += 1;
    if (stream.isTTY) stream.write(`\r\x1b[2K  ${FRAMES[frame % FRAMES.length]}  ${describe()}`);
    else stream.write(`  …  ${describe()}\n`);
  };
  const line = (mark, text) => {
    clear();
    stream.write(`${mark} ${text}\n`);
  };
  const begin = (label) => {
    active.set(label, Date.now());
    timer ??= setInterval(tick, stream.isTTY ? TERMINAL_TICK_MS : LOG_TICK_MS);
  };
  const end = (label) => {
    active.delete(label);
    if (active.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    /** Says that something is there already. */
    cached: (label, detail) => quiet || line('ok   ', `${label.padEnd(24)} ${detail}`),
    /** Says one thing. */
    note: (text) => line('     ', text),
    /**
     * Runs a step that takes time and reports it.
     * @param {string} label
     * @param {string} announcement what the newcomer is about to wait for
     * @param {() => Promise<string>} work resolves to the detail of the closing line
     */
    async step(label, announcement, work) {
      const start = Date.now();
      line('get  ', `${label.padEnd(24)} ${announcement}`);
      begin(label);
      try {
        const detail = await work();
        line('ok   ', `${label.padEnd(24)} ${detail}, ${seconds(start)}`);
      } finally {
        end(label);
        clear();
      }
    },
  };
};

// Are the ports free? Asked before anything starts, so that a taken one is named with its variable and nothing has to
// be taken back.

import { createServer } from 'node:net';

export type WantedPort = { readonly port: number; readonly variable: string };

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

/** The first free port from the given one on that nobody else wants. */
const findOther = async (from: number, reserved: ReadonlySet<number>): Promise<number> => {
  let port = from;
  while (port < 65_535 && (reserved.has(port) || !(await isFree(port)))) port += 1;
  return port;
};

/** `A_PORT=1 B_PORT=2 npm start`, with ports that are free. */
const suggest = async (
  taken: readonly WantedPort[],
  wanted: readonly WantedPort[],
  command: string,
): Promise<string> => {
  const reserved = new Set(wanted.map(({ port }) => port));
  const words: string[] = [];
  for (const { port, variable } of taken) {
    const other = await findOther(port + 10, reserved);
    reserved.add(other);
    words.push(`${variable}=${other}`);
  }
  return [...words, command].join(' ');
};

/**
 * A sentence for every port that is taken or wanted twice, and for the taken ones a line that would start.
 * @param command what to type again, e.g. `npm start`
 */
export const findPortFaults = async (
  wanted: readonly WantedPort[],
  command: string,
): Promise<readonly string[]> => {
  const faults: string[] = [];
  const taken: WantedPort[] = [];
  for (const [index, { port, variable }] of wanted.entries()) {
    const twin = wanted.slice(0, index).find((other) => other.port === port);
    if (twin !== undefined) faults.push(`port ${port} is wanted by both ${twin.variable} and ${variable}`);
    else if (!(await isFree(port))) {
      faults.push(`port ${port} (${variable}) is taken`);
      taken.push({ port, variable });
    }
  }
  return taken.length === 0 ? faults : [...faults, `choose others: ${await suggest(taken, wanted, command)}`];
};

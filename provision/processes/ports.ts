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

/**
 * The sentences for every port that is taken or wanted twice.
 * @param command what to type again, e.g. `npm start`
 */
export const findPortFaults = async (
  wanted: readonly WantedPort[],
  command: string,
): Promise<readonly string[]> => {
  const faults: string[] = [];
  for (const [index, { port, variable }] of wanted.entries()) {
    const twin = wanted.slice(0, index).find((other) => other.port === port);
    if (twin !== undefined) faults.push(`port ${port} is wanted by both ${twin.variable} and ${variable}`);
    else if (!(await isFree(port)))
      faults.push(`port ${port} (${variable}) is taken; set another: ${variable}=${port + 10} ${command}`);
  }
  return faults;
};

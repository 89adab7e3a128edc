// One question to Envoy's admin interface. Each has a connection of its own: one that was kept would go on being answered
// by the Envoy it was opened to, after another one has taken over the port.

import { request } from 'node:http';
import { text } from 'node:stream/consumers';

const TIMEOUT_MS = 1_000;

/**
 * The answer's text.
 * @throws what the connection fails with, also if it takes longer than a second.
 */
export const askAdmin = (adminPort: number, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const options = { host: '127.0.0.1', port: adminPort, path, method, agent: false, signal } as const;
    const outgoing = request(options, (response) => {
      text(response).then(resolve, reject);
    });
    outgoing.on('error', reject).end();
  });

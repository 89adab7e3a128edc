// The metrics of a running service, from its operations socket.

import { request } from 'node:http';

/** Name with labels, as it stands in the text format, without the label every one of ours has. */
export type Scraped = ReadonlyMap<string, number>;

const SERVICE = /\{service="[^"]*",?/;

const readLines = (text: string): Scraped =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line): [string, number] => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end).replace(SERVICE, '{').replace(/\{\}$/, ''), Number(line.slice(end + 1))];
      }),
  );

const TIMEOUT_MS = 10_000;

/** @returns undefined where nobody answers. */
export const scrape = (socketPath: string): Promise<Scraped | undefined> =>
  new Promise((resolve) => {
    const asked = request({ socketPath, path: '/metrics', timeout: TIMEOUT_MS, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(readLines(text)));
      response.once('error', () => resolve(undefined));
    });
    asked.once('error', () => resolve(undefined));
    asked.once('timeout', () => asked.destroy());
    asked.end();
  });

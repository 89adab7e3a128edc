// The registry's API as its admin uses it, over the link of operators. An answer that did not come is an outcome here, not an
// exception: whoever asks must know that the write may have been carried out or not.

import { request } from 'node:http';
import type { Places } from '#test/chaos/places.ts';

export type Answer = {
  readonly status: number;
  readonly etag: string;
  /** `Link`, which says where a list goes on. */
  readonly link: string;
  /** `Rollout-State`: what was waited for. */
  readonly rollout: string;
  readonly body: unknown;
};

export type Operator = (
  method: string,
  path: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer | 'lost'>;

/** After this an answer counts as lost. */
const ANSWER_MS = 10_000;

const parse = (text: string): unknown => {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
};

/** @param token of a platform admin. */
export const createOperator =
  ({ links }: Places, token: string): Operator =>
  (method, path, body, headers = {}) =>
    new Promise((resolve) => {
      const { at } = links['operator-registry'];
      if (at.kind !== 'tcp') throw new Error('operators come over TCP');
      const outgoing = request(
        {
          host: at.host,
          port: at.port,
          method,
          path,
          agent: false,
          headers: {
            authorization: `Bearer ${token}`,
            'x-change-reason': 'chaos',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          signal: AbortSignal.timeout(ANSWER_MS),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.once('error', () => resolve('lost'));
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              etag: String(response.headers.etag ?? ''),
              link: String(response.headers['link'] ?? ''),
              rollout: String(response.headers['rollout-state'] ?? ''),
              body: parse(text),
            }),
          );
        },
      );
      outgoing.once('error', () => resolve('lost'));
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });

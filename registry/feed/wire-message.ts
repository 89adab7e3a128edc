// Messages of mcpgw/feed/v1/feed.proto as proto-loader hands them over, and the one method of the service.
// Bodies are JSON in bytes fields; parse-message.ts reads them.

import type { MethodDefinition } from '@grpc/grpc-js';
import { loadService } from '#protos/service.ts';

export type FromConsumer =
  | {
      readonly message: 'subscribe';
      readonly subscribe: {
        readonly consumer: string;
        readonly epoch: string;
        readonly sequence: string;
        readonly previews?: boolean;
        readonly node_configs?: boolean;
        readonly revocations?: boolean;
        readonly drift?: boolean;
      };
    }
  | { readonly message: 'status'; readonly status: { readonly status: Buffer } }
  | {
      readonly message: 'preview_answer';
      readonly preview_answer: { readonly id: string; readonly answer: Buffer };
    }
  | {
      readonly message: 'node_answer';
      readonly node_answer: { readonly id: string; readonly answer: Buffer };
    }
  | {
      readonly message: 'policy_question';
      readonly policy_question: { readonly tenant: string; readonly digest: string };
    };

export type Hello = {
  readonly epoch: string;
  readonly reset: boolean;
  readonly node_facts?: boolean;
  readonly paces?: boolean;
  readonly answer_figures?: boolean;
};

export type FromRegistry =
  | { readonly message: 'hello'; readonly hello: Hello }
  | { readonly message: 'change'; readonly change: Buffer }
  | { readonly message: 'event'; readonly event: Buffer }
  | { readonly message: 'revocation'; readonly revocation: Buffer }
  | { readonly message: 'drift'; readonly drift: Buffer }
  | { readonly message: 'caught_up'; readonly caught_up: { readonly sequence: string } }
  | { readonly message: 'preview'; readonly preview: { readonly id: string; readonly tenant: Buffer } }
  | {
      readonly message: 'node_question';
      readonly node_question: { readonly id: string; readonly question: Buffer };
    }
  | {
      readonly message: 'policy_bundle';
      readonly policy_bundle: { readonly tenant: string; readonly digest: string; readonly bundle: Buffer };
    };

export const FEED_SERVICE = loadService('mcpgw.feed.v1.RegistryFeed');

export const SUBSCRIBE_METHOD = FEED_SERVICE['Subscribe'] as MethodDefinition<FromConsumer, FromRegistry>;

/** How often the registry speaks when nothing changes, milliseconds: the consumers' proof of freshness. */
export const HEARTBEAT_MS = 5_000;

/** The registry is silent for longer than this: the connection is dead, whatever TCP or the socket says. */
export const SILENCE_LIMIT_MS = 3 * HEARTBEAT_MS;

export const jsonBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

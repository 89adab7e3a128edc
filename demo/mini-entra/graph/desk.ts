// What all of the stand-in's Graph shares: how an answer looks, what is on order, and who may ask.

import type { DemoDirectory } from '#demo/directory.ts';
import type { SigningKeys } from '#demo/mini-entra/signing-keys.ts';
import type { World } from '#demo/mini-entra/world.ts';

export type GraphReply = {
  readonly status: number;
  readonly body: object;
  readonly retryAfterSeconds?: number;
};

/** Somebody wants to hear of changes of the people of a directory. */
export type GraphSubscription = {
  readonly id: string;
  readonly tid: string;
  readonly clientId: string;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl?: string;
  readonly clientState: string;
  /** RFC 3339. */
  expirationDateTime: string;
};

export type GraphDesk = {
  /** Answers everything in place of Graph until it is undefined again. */
  fault: GraphReply | undefined;
  /** How many questions came, answered or not; those of a batch count one by one. */
  questions: number;
  /** True: places in a delta query from before are forgotten. */
  forgetsPlaces: boolean;
  readonly subscriptions: Map<string, GraphSubscription>;
};

export const emptyGraphDesk = (): GraphDesk => ({
  fault: undefined,
  questions: 0,
  forgetsPlaces: false,
  subscriptions: new Map(),
});

export type GraphParts = {
  readonly world: World;
  readonly keys: SigningKeys;
  readonly issuer: (tid: string) => string;
  /** Origin of this Graph. */
  readonly graphUrl: () => string;
  readonly graph: GraphDesk;
};

export type GraphRequest = {
  readonly method: string;
  /** Below `/v1.0`, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
  readonly authorization: string | undefined;
};

/** The application that asks, and about whom it may. */
export type GraphAsker = { readonly directory: DemoDirectory; readonly clientId: string };

export const graphRefusal = (status: number, code: string, message: string): GraphReply => ({
  status,
  body: { error: { code, message } },
});

// The wire of mcpgw/signals/v1/signals.proto, for both of its ends. Each reads the JSON of the other by a schema.

import type { MethodDefinition } from '@grpc/grpc-js';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { err, ok, type Result } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { ChannelFault, ChannelQuestion, NotificationAddress } from '#core/signal-channel.ts';
import { loadService } from '#protos/service.ts';
import { parseChecked } from '#registry/feed/checked-json.ts';
import { Id } from '#registry/feed/schema/words.ts';
import { jsonBytes } from '#registry/feed/wire-message.ts';

export type OpenRequest = { readonly question: Buffer };
export type OpenResponse = { readonly answer: Buffer };

export const SIGNAL_SERVICE = loadService('mcpgw.signals.v1.SignalChannels');

export const OPEN_METHOD = SIGNAL_SERVICE['Open'] as MethodDefinition<OpenRequest, OpenResponse>;

const closed = { additionalProperties: false };

const questions = Compile(Type.Object({ tenantId: Id, issuerId: Id }, closed));

/** A fault that a newer registry knows is a refusal all the same. */
const answers = Compile(
  Type.Union([
    Type.Object(
      {
        state: Type.Literal('open'),
        notificationUrl: Type.String({ minLength: 1, maxLength: 2_048 }),
        clientState: Type.String({ minLength: 1, maxLength: 128 }),
      },
      closed,
    ),
    Type.Object({ state: Type.Literal('refused'), fault: Type.String({ maxLength: 64 }) }, closed),
  ]),
);

type WireAnswer =
  | { readonly state: 'open'; readonly notificationUrl: string; readonly clientState: string }
  | { readonly state: 'refused'; readonly fault: string };

export const parseQuestion = (bytes: Uint8Array) => parseChecked<ChannelQuestion>(questions, bytes);

/** The one place where the secret becomes bytes: the feed's address is a Unix socket or mutual TLS. */
export const formatAnswer = (answer: Result<NotificationAddress, ChannelFault>): Buffer =>
  jsonBytes(
    answer.ok
      ? {
          state: 'open',
          notificationUrl: answer.value.notificationUrl,
          clientState: answer.value.clientState.reveal(),
        }
      : { state: 'refused', fault: answer.error },
  );

export const parseAnswer = (bytes: Uint8Array): Result<NotificationAddress, string> => {
  const parsed = parseChecked<WireAnswer>(answers, bytes);
  if (!parsed.ok) return parsed;
  if (parsed.value.state === 'refused') return err(parsed.value.fault);
  const { notificationUrl, clientState } = parsed.value;
  return ok({ notificationUrl, clientState: new Secret(clientState) });
};

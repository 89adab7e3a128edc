// The wire of mcpgw/approval/v1/approval.proto, for both of its ends. Each reads the JSON of the other by a schema.

import type { MethodDefinition } from '@grpc/grpc-js';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { ApprovalAnswer, ApprovalQuestion } from '#core/call-approval.ts';
import { loadService } from '#protos/service.ts';
import { parseChecked } from '#registry/feed/checked-json.ts';
import { AnyObject, Id, ShortText, VersionName } from '#registry/feed/schema/words.ts';

export type AskRequest = { readonly question: Buffer };
export type AskResponse = { readonly answer: Buffer };

export const APPROVAL_SERVICE = loadService('mcpgw.approval.v1.CallApprovals');

export const ASK_METHOD = APPROVAL_SERVICE['Ask'] as MethodDefinition<AskRequest, AskResponse>;

const closed = { additionalProperties: false };
const Principal = Type.String({ minLength: 1, maxLength: 2_048 });
const Texts = Type.Array(Type.String({ minLength: 1, maxLength: 8_192 }), { maxItems: 100 });

const questions = Compile(
  Type.Object(
    {
      tenantId: Id,
      serverId: Id,
      version: VersionName,
      method: ShortText,
      targets: Texts,
      params: AnyObject,
      principal: Principal,
      application: Type.Optional(Principal),
      rules: Type.Array(ShortText, { minItems: 1, maxItems: 100 }),
      callerName: Type.Optional(Type.String({ maxLength: 1_024 })),
    },
    closed,
  ),
);

const answers = Compile(
  Type.Union([
    Type.Object(
      {
        state: Type.Literal('pending'),
        id: Id,
        url: Type.String({ maxLength: 2_048 }),
        expiresAt: ShortText,
      },
      closed,
    ),
    Type.Object({ state: Type.Enum(['granted', 'refused']), id: Id }, closed),
    Type.Object({ state: Type.Literal('too-many') }, closed),
  ]),
);

export const parseQuestion = (bytes: Uint8Array) => parseChecked<ApprovalQuestion>(questions, bytes);

export const parseAnswer = (bytes: Uint8Array) => parseChecked<ApprovalAnswer>(answers, bytes);

// The wire of mcpgw/revocation/v1/revocation.proto, for both of its ends. Each reads the JSON of the other by a schema.

import type { MethodDefinition } from '@grpc/grpc-js';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { RevocationAnswer, RevocationReport } from '#core/revocation.ts';
import { loadService } from '#protos/service.ts';
import { parseChecked } from '#registry/feed/checked-json.ts';
import { RevocationReportSchema } from '#registry/feed/schema/revocation-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';

export type ReportRequest = { readonly report: Buffer };
export type ReportResponse = { readonly answer: Buffer };

export const REVOCATION_SERVICE = loadService('mcpgw.revocation.v1.Revocations');

export const REPORT_METHOD = REVOCATION_SERVICE['Report'] as MethodDefinition<ReportRequest, ReportResponse>;

const closed = { additionalProperties: false };

const reports = Compile(RevocationReportSchema);

/** A fault that a newer registry knows is a refusal all the same. */
const answers = Compile(
  Type.Union([
    Type.Object({ state: Type.Literal('recorded'), id: Id, changed: Type.Boolean() }, closed),
    Type.Object({ state: Type.Literal('refused'), fault: Type.String({ maxLength: 64 }) }, closed),
  ]),
);

export const parseReport = (bytes: Uint8Array) => parseChecked<RevocationReport>(reports, bytes);

export const parseAnswer = (bytes: Uint8Array) => parseChecked<RevocationAnswer>(answers, bytes);

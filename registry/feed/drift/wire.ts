// The wire of mcpgw/drift/v1/drift.proto, for both of its ends.

import type { MethodDefinition } from '@grpc/grpc-js';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { DriftSighting } from '#core/tool-drift.ts';
import { loadService } from '#protos/service.ts';
import { parseChecked } from '#registry/feed/checked-json.ts';
import { DriftSightingSchema } from '#registry/feed/schema/drift-schema.ts';

export type ReportRequest = { readonly sightings: Buffer };
export type ReportResponse = { readonly taken: number };

export const DRIFT_SERVICE = loadService('mcpgw.drift.v1.ToolDrift');

export const REPORT_METHOD = DRIFT_SERVICE['Report'] as MethodDefinition<ReportRequest, ReportResponse>;

/** Sightings in one report: what one transaction of the registry has to write at once. */
export const MAX_REPORTED = 100;

const check = Compile(Type.Array(DriftSightingSchema, { minItems: 1, maxItems: MAX_REPORTED }));

export const parseReport = (bytes: Uint8Array) => parseChecked<readonly DriftSighting[]>(check, bytes);

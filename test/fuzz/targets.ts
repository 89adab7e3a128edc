// Every fuzz target there is.

import type { Target } from '#test/fuzz/target.ts';
import { checkRequest } from '#test/fuzz/targets/check-request.ts';
import { eventStream } from '#test/fuzz/targets/event-stream.ts';
import { mcpBody } from '#test/fuzz/targets/mcp-body.ts';
import { sealedTexts } from '#test/fuzz/targets/sealed.ts';
import { manifestBytes, signatureHeader, tokenParts } from '#test/fuzz/targets/signature.ts';
import { xdsStream } from '#test/fuzz/targets/xds-stream.ts';

export const TARGETS: readonly Target[] = [
  mcpBody,
  eventStream,
  signatureHeader,
  tokenParts,
  manifestBytes,
  sealedTexts,
  xdsStream,
  checkRequest,
];

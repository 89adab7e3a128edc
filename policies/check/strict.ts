// Syntax, types, names and builtins: what OPA's strict check says, with what to do about it.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { PolicyFault } from '#policies/build/fault.ts';
import { allFolders, CAPABILITIES, INPUT_SCHEMA, type PolicyFolders } from '#policies/build/folders.ts';
import type { Opa } from '#policies/build/opa.ts';

/** By the beginning of OPA's message, the first that fits. */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/^undefined function time\./, 'A policy has no clock: read input.request.time, or use data.mcp.lib.clock'],
  [
    /^undefined function (?:http|net|opa\.runtime|rego)/,
    'A policy has no network and no process: what it needs comes in the input or in data.json',
  ],
  [
    /^undefined function (?:io\.jwt|crypto)/,
    'The gateway has verified the token already: read input.identity',
  ],
  [/^undefined function sprintf/, 'Use concat and format_int'],
  [/^undefined function print/, 'Take it out: npm run policy:explain shows what a rule saw'],
  [
    /^undefined function|template_string|interpolat/,
    'Define it or correct the name; a builtin can be used if policies/capabilities.json lists it, others are not in WebAssembly',
  ],
  [/^undefined ref: input/, 'Correct the name: policies/input.schema.json lists what the input holds'],
  [/unused|assigned but|shadow/, 'Take it out, or give it another name'],
  [/recursive/, 'Take one of the references out'],
  [/unsafe/, 'Bind the variable in an expression that is not negated'],
  [/conflict|redeclared/, 'Give the rule another name: the platform has one of this name'],
];

const remedyFor = (message: string): string =>
  REMEDIES.find(([pattern]) => pattern.test(message))?.[1] ??
  'See the Rego reference, www.openpolicyagent.org/docs';

const faultFrom = (error: JsonObject): PolicyFault => {
  const place = isJsonObject(error['location']) ? error['location'] : {};
  const message = String(error['message'] ?? 'OPA refuses the policy and does not say why');
  return {
    file: String(place['file'] ?? '.'),
    line: Number(place['row'] ?? 1),
    message,
    remedy: remedyFor(message),
  };
};

/** @throws GatewayError `policy_failed` if OPA cannot be run. */
export const findStrictFaults = async (opa: Opa, folders: PolicyFolders): Promise<readonly PolicyFault[]> => {
  const limits = ['--capabilities', CAPABILITIES, '--schema', INPUT_SCHEMA];
  const output = await opa(['check', '--strict', '--format', 'json', ...limits, ...allFolders(folders)], {
    complaints: true,
  });
  if (output.trim() === '' || output.trim() === '{}') return [];
  const { errors } = JSON.parse(output) as { readonly errors?: Json };
  return (Array.isArray(errors) ? errors : []).filter(isJsonObject).map(faultFrom);
};

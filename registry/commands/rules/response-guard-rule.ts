// Settings of the response guard that are well formed and could not be carried out, or would never count: refused,
// because whoever set them would believe himself guarded.

import { isFreeHeader } from '#core/free-header.ts';
import type { Extraction, HeaderChange, ServerResponseGuard } from '#core/response-guard.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import { judgeFindings } from '#registry/commands/rules/finding-rule.ts';
import { judgePatternSizes, judgePointer, judgeRedaction } from '#registry/commands/rules/pattern-rule.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';
import { judgeToolList, toolNames } from '#registry/commands/rules/tool-names.ts';

type Tools = ReadonlySet<string>;

const judgeHeaderName = (name: string, pointer: string): Fault[] =>
  isFreeHeader(name)
    ? []
    : [{ pointer, message: 'is a header of the connection, the content, the gateway or of signing in' }];

const judgeHeader = (change: HeaderChange, at: string, tools: Tools): Fault[] => [
  ...judgeHeaderName(change.name, `${at}/name`),
  ...(change.action === 'rename' ? judgeHeaderName(change.to, `${at}/to`) : []),
  ...(change.action === 'rename' && change.to === change.name
    ? [{ pointer: `${at}/to`, message: 'is the name it has' }]
    : []),
  ...judgeToolList(tools, change.tools, at),
];

/** A value is told by one name, so its place is one. */
const judgeOnePlace = ({ pointer }: Extraction, at: string): Fault[] =>
  pointer.split('/').includes('*')
    ? [{ pointer: `${at}/pointer`, message: 'leads to several places: * is for redactions' }]
    : judgePointer(pointer, `${at}/pointer`);

const judgeExtraction = (extraction: Extraction, at: string, tools: Tools): Fault[] => {
  const { header, label } = extraction;
  return [
    ...((header === undefined) === (label === undefined)
      ? [{ pointer: at, message: 'exactly one of header, label is given' }]
      : []),
    ...(header === undefined ? [] : judgeHeaderName(header, `${at}/header`)),
    ...judgeOnePlace(extraction, at),
    ...judgeToolList(tools, extraction.tools, at),
  ];
};

const judgeNames = (
  list: 'redactions' | 'extractions',
  { [list]: rules = [] }: ServerResponseGuard,
): Fault[] =>
  repeated(rules.map(({ name }) => name)).map((name) => ({
    pointer: `/responseGuard/${list}`,
    message: `two are named ${name}`,
  }));

/** Metrics and logs tell rules by these names, so one name is one rule. */
const judgeLists = (guard: ServerResponseGuard, tools: Tools): Fault[] => {
  const { redactions = [], headers = [], extractions = [] } = guard;
  return [
    ...redactions.flatMap((redaction, index) => {
      const at = `/responseGuard/redactions/${index}`;
      return [...judgeRedaction(redaction, at), ...judgeToolList(tools, redaction.tools, at)];
    }),
    ...judgePatternSizes(redactions),
    ...headers.flatMap((change, index) => judgeHeader(change, `/responseGuard/headers/${index}`, tools)),
    ...extractions.flatMap((extraction, index) =>
      judgeExtraction(extraction, `/responseGuard/extractions/${index}`, tools),
    ),
    ...judgeNames('redactions', guard),
    ...judgeNames('extractions', guard),
  ];
};

const judgeServer = (server: McpServer): Fault[] => {
  const { responseGuard } = server;
  if (responseGuard === undefined) return [];
  const tools = toolNames(server);
  return [...judgeFindings(responseGuard.findings ?? [], tools), ...judgeLists(responseGuard, tools)];
};

const judgeServers = eachServer(judgeServer);

/** A tenant's rule may name a tool of any of its servers. */
const judgeTenant = ({ responseGuard, servers }: Tenant): readonly Fault[] => {
  const findings = responseGuard?.findings ?? [];
  if (findings.length === 0) return [];
  return judgeFindings(findings, new Set(servers.flatMap((server) => [...toolNames(server)])));
};

/** What a tenant and its servers set of the response guard can be done. */
export const responseGuardRule: Rule = (tenant) => [
  ...judgeTenant(tenant).map((fault) => ({ ...fault, resource: 'tenant' })),
  ...judgeServers(tenant),
];

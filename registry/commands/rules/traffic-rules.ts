// What a split of a server's calls may say: versions that exist and are not withdrawn, tools they have, shares of
// something, moments in order, headers that are the client's own.

import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import {
  type AbortRule,
  SHARE_SIGNALS,
  type ToolWeights,
  type TrafficSplit,
  type TrafficStep,
  type VersionWeight,
  versionsIn,
} from '#core/traffic-split.ts';
import type { Fault } from '#registry/commands/outcome.ts';
import { eachServer } from '#registry/commands/rules/each-server.ts';
import { type Rule, repeated } from '#registry/commands/rules/rule.ts';

/** A version at a place that gives it calls, if it does. */
export type NamedVersion = {
  readonly version: string;
  readonly pointer: string;
  readonly getsCalls: boolean;
};

const inWeights = (weights: readonly VersionWeight[], at: string): readonly NamedVersion[] =>
  weights.map(({ version, weight }, index) => ({
    version,
    pointer: `${at}/weights/${index}/version`,
    getsCalls: weight > 0,
  }));

type PlacedWeights = { readonly weights: readonly VersionWeight[]; readonly at: string };

/** A set of shares with where it stands, and the tool it is about, if it is about one. */
type Placed = PlacedWeights & { readonly tool?: string };

const ofTools = (tools: readonly ToolWeights[] = [], at: string): readonly Placed[] =>
  tools.map(({ tool, weights }, index) => ({ tool, weights, at: `${at}/tools/${index}` }));

/** What holds at the same time: the shares of the server and of single tools, now and from each step on. */
const momentsOf = ({ weights, tools, steps }: TrafficSplit): readonly (readonly Placed[])[] => [
  [{ weights, at: '' }, ...ofTools(tools, '')],
  ...steps.map((step, index) => [
    { weights: step.weights, at: `/steps/${index}` },
    ...ofTools(step.tools, `/steps/${index}`),
  ]),
];

const placedWeights = (split: TrafficSplit): readonly Placed[] => momentsOf(split).flat();

/** Every place of a split that names a version, with pointers into the split. */
export const namedVersions = (split: TrafficSplit): readonly NamedVersion[] => [
  ...placedWeights(split).flatMap(({ weights, at }) => inWeights(weights, at)),
  ...split.testers.map(({ version }, index) => ({
    version,
    pointer: `/testers/${index}/version`,
    getsCalls: true,
  })),
  ...(split.abort === undefined
    ? []
    : [
        { version: split.abort.version, pointer: '/abort/version', getsCalls: false },
        { version: split.abort.fallback, pointer: '/abort/fallback', getsCalls: true },
      ]),
  ...split.withdrawn.map((version, index) => ({ version, pointer: `/withdrawn/${index}`, getsCalls: false })),
];

const judgeNames = (server: McpServer, split: TrafficSplit): Fault[] =>
  namedVersions(split).flatMap(({ version, pointer, getsCalls }) => {
    if (findVersion(server, version) === undefined)
      return [{ pointer, message: `version ${version} is not published` }];
    return getsCalls && split.withdrawn.includes(version)
      ? [{ pointer, message: `version ${version} is withdrawn and can get no calls` }]
      : [];
  });

/**
 * A caller is not told which version he gets, so he could not know how to speak to it. A tester may be: he is named, or says
 * so himself.
 */
const judgeTransports = (server: McpServer, shares: readonly NamedVersion[]): Fault[] => {
  const spoken = shares.flatMap(({ version, pointer, getsCalls }) => {
    const transport = findVersion(server, version)?.transport;
    return transport === undefined || !getsCalls ? [] : [{ version, pointer, transport }];
  });
  const [first, ...others] = spoken;
  return others
    .filter(({ transport }) => transport !== first?.transport)
    .map(({ version, pointer, transport }) => ({
      pointer,
      message: `version ${version} is spoken to by ${transport} and version ${first?.version} by ${first?.transport}: calls cannot be shared between them`,
    }));
};

const judgeMoments = (server: McpServer, split: TrafficSplit): Fault[] =>
  momentsOf(split).flatMap((placed) =>
    judgeTransports(
      server,
      placed.flatMap(({ weights, at }) => inWeights(weights, at)),
    ),
  );

const hasTool = (version: ServerVersion | undefined, tool: string): boolean =>
  version === undefined || version.tools.some(({ name }) => name === tool);

/** A caller must not lose a tool by being among those who get a version without it. */
const judgeTool = (server: McpServer, { tool, weights, at }: Placed): Fault[] =>
  tool === undefined
    ? []
    : weights.flatMap(({ version }, index) =>
        hasTool(findVersion(server, version), tool)
          ? []
          : [
              {
                pointer: `${at}/weights/${index}/version`,
                message: `version ${version} has no tool ${tool}`,
              },
            ],
      );

const judgeWeights = ({ weights, at }: PlacedWeights): Fault[] => [
  ...(weights.some(({ weight }) => weight > 0)
    ? []
    : [{ pointer: `${at}/weights`, message: 'no version would get calls: one weight is above 0' }]),
  ...repeated(weights.map(({ version }) => version)).map((version) => ({
    pointer: `${at}/weights`,
    message: `version ${version} is named twice`,
  })),
];

const judgeTools = (tools: readonly ToolWeights[] = [], at: string): Fault[] =>
  repeated(tools.map(({ tool }) => tool)).map((tool) => ({
    pointer: `${at}/tools`,
    message: `tool ${tool} is named twice`,
  }));

const judgeMoment = (step: TrafficStep, before: TrafficStep | undefined, pointer: string): Fault[] => {
  const at = Date.parse(step.at);
  if (Number.isNaN(at)) return [{ pointer, message: 'is no moment of the calendar' }];
  return before !== undefined && Date.parse(before.at) >= at
    ? [{ pointer, message: 'is not after the step before it' }]
    : [];
};

const judgeSteps = (steps: readonly TrafficStep[]): Fault[] =>
  steps.flatMap((step, index) => [
    ...judgeMoment(step, steps[index - 1], `/steps/${index}/at`),
    ...judgeTools(step.tools, `/steps/${index}`),
  ]);

/**
 * What Envoy or we write ourselves says nothing of the client, and what is a credential must not stand in a setting
 * that many may read.
 */
const NOT_A_TESTERS =
  /^(x-mcpgw-|x-envoy-|x-forwarded-)|^(x-request-id|host|content-length|transfer-encoding|connection|te|trailer|upgrade|via|mcp-session-id|proxy-authorization|authorization|cookie)$|(^|[-_])(api-?key|token|secret|password|credentials?)([-_]|$)/;

const judgeTesters = ({ testers }: TrafficSplit): Fault[] =>
  testers.flatMap((tester, index) =>
    'header' in tester && NOT_A_TESTERS.test(tester.header.name)
      ? [
          {
            pointer: `/testers/${index}/header/name`,
            message: 'is a header of the gateway, of the connection or of a credential: take one of your own',
          },
        ]
      : [],
  );

const judgeAbort = (split: TrafficSplit, { version, fallback, limits }: AbortRule): Fault[] => {
  const { abort: _abort, ...rest } = split;
  return [
    ...(versionsIn(rest).includes(version)
      ? []
      : [{ pointer: '/abort/version', message: `version ${version} gets no calls by this split` }]),
    ...(version === fallback
      ? [{ pointer: '/abort/fallback', message: 'is the version that is watched' }]
      : []),
    ...repeated(limits.map(({ signal }) => signal)).map((signal) => ({
      pointer: '/abort/limits',
      message: `signal ${signal} is named twice`,
    })),
    ...limits.flatMap(({ signal, maximum }, index) =>
      SHARE_SIGNALS.includes(signal) && maximum >= 1
        ? [
            {
              pointer: `/abort/limits/${index}/maximum`,
              message: 'a share is passed only if it is below 1',
            },
          ]
        : [],
    ),
  ];
};

/** Callers are thrown from the one to the other while they call. */
const judgeFallback = (server: McpServer, { version, fallback }: AbortRule): Fault[] =>
  judgeTransports(server, [
    { version, pointer: '/abort/version', getsCalls: true },
    { version: fallback, pointer: '/abort/fallback', getsCalls: true },
  ]);

/** Everything wrong with a split on this server, with pointers into the split. */
export const judgeSplit = (server: McpServer, split: TrafficSplit): Fault[] => [
  ...(server.activeVersion === ''
    ? [{ pointer: '', message: 'the server has no active version to come back to: activate one first' }]
    : []),
  ...judgeNames(server, split),
  ...placedWeights(split).flatMap((placed) => [...judgeWeights(placed), ...judgeTool(server, placed)]),
  ...judgeMoments(server, split),
  ...judgeTools(split.tools, ''),
  ...judgeSteps(split.steps),
  ...judgeTesters(split),
  ...(split.abort === undefined
    ? []
    : [...judgeAbort(split, split.abort), ...judgeFallback(server, split.abort)]),
];

const judgeServer = (server: McpServer): Fault[] =>
  server.traffic === undefined
    ? []
    : judgeSplit(server, server.traffic).map(({ pointer, message }) => ({
        pointer: `/traffic${pointer}`,
        message,
      }));

/** A split names what the server has, and sends nobody to a version that was withdrawn. */
export const trafficRule: Rule = eachServer(judgeServer);

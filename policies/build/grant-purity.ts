// Proves that grant rules cannot see the arguments of a call, directly or through any rule they use. Lists are made
// from grants alone: a grant that depended on arguments would let a list show one thing and a call do another. Pure.

import type { PolicyFault } from '#policies/build/fault.ts';
import { reachableFrom, startsWith } from '#policies/build/reach.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';

/** What a grant may read. Everything else, arguments and time above all, belongs to constraints. */
const READABLE = [
  ['tenant'],
  ['identity'],
  ['server'],
  ['tool'],
  ['grants'],
  ['call', 'kind'],
  ['call', 'method'],
  ['call', 'list'],
  ['call', 'targets'],
];

/** Where grants begin: every package called `grant`, and what the entrypoint for lists shows. */
const isRoot = (rule: RegoRule): boolean => {
  const parts = rule.path.split('.');
  return parts.at(-2) === 'grant' || rule.path === 'mcp.authz.visible';
};

const REMEDY =
  'Move the condition to a constraint: a grant decides what lists show too, and a list has no arguments, address or hour';

const faultsOf = (rule: RegoRule): readonly PolicyFault[] => {
  const { file, line, path } = rule;
  const forbidden = rule.inputs.filter((read) => !READABLE.some((prefix) => startsWith(read, prefix)));
  const reads = forbidden.map((read) => `${path} reads ${['input', ...read].join('.')}`);
  const found = rule.replaces ? [...reads, `${path} replaces documents with \`with\``] : reads;
  return [...new Set(found)].map((message) => ({
    file,
    line,
    message: `grant rules must not depend on the call's arguments: ${message}`,
    remedy: REMEDY,
  }));
};

const NO_GRANTS: PolicyFault = {
  file: '.',
  line: 1,
  message: 'there is no package of grants',
  remedy: "Build on the platform's rules (policies/mcp) or a copy of them",
};

/** One fault for each way a grant rule could see more than it may; none, if the policy is sound. */
export const findImpureGrants = (rules: readonly RegoRule[]): readonly PolicyFault[] => {
  if (!rules.some((rule) => rule.path.split('.').at(-2) === 'grant')) return [NO_GRANTS];
  return [...reachableFrom(rules, isRoot)].flatMap(faultsOf);
};

/** Whether any rule may read `input.call.arguments`. If none does, the gateway need not send them. */
export const readsArguments = (rules: readonly RegoRule[]): boolean =>
  rules.some(
    (rule) =>
      rule.replaces ||
      rule.inputs.some(
        (path) => startsWith(path, ['call', 'arguments']) || startsWith(['call', 'arguments'], path),
      ),
  );

// Which nodes a CSDS request means (envoy.type.matcher.v3.NodeMatcher, as the gRPC library gives it). Only the id is
// matched, by plain comparison: a pattern of the caller's would run on our only thread. Pure.

import { err, ok, type Result } from '#core/result.ts';

/** envoy.type.matcher.v3.StringMatcher; `match_pattern` names the member that is set. */
type StringMatcher = {
  readonly match_pattern?: string;
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly ignore_case: boolean;
};

export type NodeMatcher = {
  readonly node_id: StringMatcher | null;
  readonly node_metadatas: readonly unknown[];
};

type Test = (nodeId: string) => boolean;

const comparing = (matcher: StringMatcher): ((nodeId: string, wanted: string) => boolean) | undefined => {
  switch (matcher.match_pattern) {
    case 'exact':
      return (nodeId, wanted) => nodeId === wanted;
    case 'prefix':
      return (nodeId, wanted) => nodeId.startsWith(wanted);
    case 'suffix':
      return (nodeId, wanted) => nodeId.endsWith(wanted);
    case 'contains':
      return (nodeId, wanted) => nodeId.includes(wanted);
    default:
      return undefined;
  }
};

const wantedOf = (matcher: StringMatcher): string =>
  matcher.exact ?? matcher.prefix ?? matcher.suffix ?? matcher.contains ?? '';

const testOf = ({ node_id, node_metadatas }: NodeMatcher): Result<Test, string> => {
  if (node_metadatas.length > 0) return err('nodes can be matched by node_id only, not by node_metadatas');
  if (node_id === null) return ok(() => true);
  const compare = comparing(node_id);
  if (compare === undefined) return err('node_id can be matched by exact, prefix, suffix or contains only');
  const fold = (text: string): string => (node_id.ignore_case ? text.toLowerCase() : text);
  const wanted = fold(wantedOf(node_id));
  return ok((nodeId) => compare(fold(nodeId), wanted));
};

/** True for nodes that any of the matchers means; without matchers, for all. The error is a sentence for the caller. */
export const nodeTest = (matchers: readonly NodeMatcher[]): Result<Test, string> => {
  const tests: Test[] = [];
  for (const matcher of matchers) {
    const test = testOf(matcher);
    if (!test.ok) return test;
    tests.push(test.value);
  }
  return ok((nodeId) => tests.length === 0 || tests.some((test) => test(nodeId)));
};

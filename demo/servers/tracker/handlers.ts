// What each tool of the tracker does. Arguments were validated against the tool's schema by the SDK.

import type { JsonObject } from '#core/json.ts';
import type { TokenFacts } from '#demo/servers/token-check.ts';
import {
  structured,
  type ToolArguments,
  type ToolResult,
  toolError,
  whoami,
} from '#demo/servers/tool-result.ts';
import type { Issue, IssueStore } from '#demo/servers/tracker/issue-store.ts';
import { searchDocuments } from '#demo/servers/tracker/search.ts';

export type ToolHandler = (args: ToolArguments, facts: TokenFacts) => ToolResult;

const DEFAULT_ISSUES = 20;
const DEFAULT_MATCHES = 5;

const text = (value: unknown, fallback = ''): string => (typeof value === 'string' ? value : fallback);
const number = (value: unknown, fallback = 0): number => (typeof value === 'number' ? value : fallback);

const issueToJson = (issue: Issue): JsonObject => ({ ...issue });

const answerIssue = (issue: Issue | undefined, id: unknown): ToolResult =>
  issue === undefined ? toolError(`There is no issue ${number(id)}.`) : structured(issueToJson(issue));

const reporterOf = (facts: TokenFacts): string => `${facts.kind}:${facts.oid || facts.app}`;

/** Handlers by tool name. */
export const createTrackerHandlers = (store: IssueStore): Readonly<Record<string, ToolHandler>> => ({
  list_issues: (args) => {
    const limit = number(args['limit'], DEFAULT_ISSUES);
    const status = args['status'];
    const issues = store.list(typeof status === 'string' ? { status, limit } : { limit });
    return structured({ issues: issues.map(issueToJson) });
  },
  get_issue: (args) => answerIssue(store.find(number(args['id'])), args['id']),
  create_issue: (args, facts) =>
    structured(
      issueToJson(
        store.create({
          title: text(args['title']),
          description: text(args['description']),
          priority: text(args['priority'], 'medium'),
          reporter: reporterOf(facts),
        }),
      ),
    ),
  close_issue: (args) => answerIssue(store.close(number(args['id'])), args['id']),
  search_documents: (args) => {
    const matches = searchDocuments(text(args['query']), number(args['limit'], DEFAULT_MATCHES));
    return structured({ matches: matches.map((match) => ({ ...match })) });
  },
  whoami: (_args, facts) => whoami(facts),
});

// The tracker's issues, in memory: a restart brings the sample data back.

import issues from '#demo/servers/tracker/issues.json' with { type: 'json' };

export type Issue = {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly priority: string;
  readonly labels: readonly string[];
  readonly reporter: string;
};

/** Most issues kept; the demo may run for weeks. */
const CAPACITY = 1_000;

export type IssueStore = {
  /** Newest first. */
  list(filter: { readonly status?: string; readonly limit: number }): readonly Issue[];
  find(id: number): Issue | undefined;
  create(draft: Pick<Issue, 'title' | 'description' | 'priority' | 'reporter'>): Issue;
  close(id: number): Issue | undefined;
};

export const createIssueStore = (): IssueStore => {
  const byId = new Map<number, Issue>(issues.map((issue) => [issue.id, issue]));
  let nextId = Math.max(...byId.keys()) + 1;
  return {
    list: ({ status, limit }) =>
      [...byId.values()]
        .filter((issue) => status === undefined || issue.status === status)
        .toReversed()
        .slice(0, limit),
    find: (id) => byId.get(id),
    create: (draft) => {
      const issue: Issue = { id: nextId, status: 'open', labels: [], ...draft };
      nextId += 1;
      byId.set(issue.id, issue);
      const oldest = byId.keys().next();
      if (byId.size > CAPACITY && oldest.value !== undefined) byId.delete(oldest.value);
      return issue;
    },
    close: (id) => {
      const issue = byId.get(id);
      if (issue === undefined) return undefined;
      const closed = { ...issue, status: 'closed' };
      byId.set(id, closed);
      return closed;
    },
  };
};

// The tracker's tools as data: served to MCP clients and published to the registry from this one text, so that what
// is pinned is what the server says. Knows nothing of how they are done.

import type { Tool } from '#core/server.ts';
import { WHOAMI } from '#demo/servers/whoami-tool.ts';

const ISSUE = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    title: { type: 'string' },
    description: { type: 'string' },
    status: { type: 'string', enum: ['open', 'closed'] },
    priority: { type: 'string', enum: ['low', 'medium', 'high', 'critical'] },
    labels: { type: 'array', items: { type: 'string' } },
    reporter: { type: 'string' },
  },
  required: ['id', 'title', 'description', 'status', 'priority', 'labels', 'reporter'],
  additionalProperties: false,
} as const;

const ISSUE_NUMBER = { type: 'integer', minimum: 1, description: 'Number of the issue.' } as const;

const listIssues: Tool = {
  name: 'list_issues',
  title: 'List issues',
  description: 'Lists issues of the tracker, newest first, optionally only those of one status.',
  inputSchema: {
    type: 'object',
    properties: {
      status: { type: 'string', enum: ['open', 'closed'], description: 'Only issues of this status.' },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: 50,
        description: 'Most issues to return; 20 if absent.',
      },
    },
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { issues: { type: 'array', items: ISSUE } },
    required: ['issues'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
  requiredScopes: [],
  tags: ['read'],
  idempotent: true,
};

const getIssue: Tool = {
  name: 'get_issue',
  title: 'Get an issue',
  description: 'Returns one issue by its number.',
  inputSchema: {
    type: 'object',
    properties: { id: ISSUE_NUMBER },
    required: ['id'],
    additionalProperties: false,
  },
  outputSchema: ISSUE,
  annotations: { readOnlyHint: true },
  requiredScopes: [],
  tags: ['read'],
  idempotent: true,
};

const createIssue: Tool = {
  name: 'create_issue',
  title: 'Create an issue',
  description: 'Opens a new issue. Its reporter is the caller.',
  inputSchema: {
    type: 'object',
    properties: {
      title: { type: 'string', minLength: 1, maxLength: 200, description: 'One line.' },
      description: {
        type: 'string',
        maxLength: 10_000,
        description: 'What happened, and what was expected.',
      },
      priority: {
        type: 'string',
        enum: ['low', 'medium', 'high', 'critical'],
        description: 'medium if absent. critical pages whoever is on call.',
      },
    },
    required: ['title'],
    additionalProperties: false,
  },
  outputSchema: ISSUE,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  requiredScopes: [],
  tags: ['write'],
  idempotent: false,
};

const closeIssue: Tool = {
  name: 'close_issue',
  title: 'Close an issue',
  description: 'Closes an issue for good. It cannot be opened again.',
  inputSchema: {
    type: 'object',
    properties: {
      id: ISSUE_NUMBER,
      reason: { type: 'string', maxLength: 500, description: 'Why it is closed.' },
    },
    required: ['id'],
    additionalProperties: false,
  },
  outputSchema: ISSUE,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  requiredScopes: [],
  tags: ['write', 'destructive'],
  idempotent: true,
};

const searchDocuments: Tool = {
  name: 'search_documents',
  title: 'Search documents',
  description: 'Finds documents that contain every word of the query; best match first.',
  inputSchema: {
    type: 'object',
    properties: {
      query: { type: 'string', minLength: 1, maxLength: 200 },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: 20,
        description: 'Most documents to return; 5 if absent.',
      },
    },
    required: ['query'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      matches: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            id: { type: 'string' },
            title: { type: 'string' },
            excerpt: { type: 'string' },
            score: { type: 'number' },
          },
          required: ['id', 'title', 'excerpt', 'score'],
          additionalProperties: false,
        },
      },
    },
    required: ['matches'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
  requiredScopes: [],
  tags: ['read'],
  idempotent: true,
};

export const TRACKER_TOOLS: readonly Tool[] = [
  listIssues,
  getIssue,
  createIssue,
  closeIssue,
  searchDocuments,
  WHOAMI,
];

// The tools of the reports server as data; see tracker/tools.ts for why.

import type { Tool } from '#core/server.ts';
import { WHOAMI } from '#demo/servers/whoami-tool.ts';

const buildReport: Tool = {
  name: 'build_report',
  title: 'Build a report',
  description: 'Builds a report in a few steps and tells its progress while it does.',
  inputSchema: {
    type: 'object',
    properties: {
      title: { type: 'string', minLength: 1, maxLength: 100, description: 'What the report is about.' },
      stepMs: {
        type: 'integer',
        minimum: 0,
        maximum: 5000,
        description: 'Milliseconds a step takes; 300 if absent.',
      },
    },
    required: ['title'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      steps: { type: 'array', items: { type: 'string' } },
      summary: { type: 'string' },
    },
    required: ['title', 'steps', 'summary'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
  requiredScopes: [],
  tags: ['read', 'slow'],
  idempotent: true,
};

const watchQueue: Tool = {
  name: 'watch_queue',
  title: 'Watch the queue',
  description:
    'Watches the work queue and sends one event a second until the time is over or the call is cancelled.',
  inputSchema: {
    type: 'object',
    properties: {
      seconds: {
        type: 'integer',
        minimum: 1,
        maximum: 3600,
        description: 'How long to watch; 30 if absent.',
      },
    },
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { events: { type: 'integer' }, cancelled: { type: 'boolean' } },
    required: ['events', 'cancelled'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true },
  requiredScopes: [],
  tags: ['read', 'stream'],
  idempotent: true,
};

export const REPORTS_TOOLS: readonly Tool[] = [buildReport, watchQueue, WHOAMI];

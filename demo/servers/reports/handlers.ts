// What the tools of the reports server do: one that takes a few steps and one that goes on for long, because a gateway
// shows its worth on streams.

import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenFacts } from '#demo/servers/token-check.ts';
import {
  structured,
  type ToolArguments,
  type ToolResult,
  toolError,
  whoami,
} from '#demo/servers/tool-result.ts';

/** How a running tool reaches its caller. */
export type ToolStream = {
  readonly signal: AbortSignal;
  /** A progress notification; nothing happens where the caller asked for none. */
  progress(done: number, total: number, message: string): Promise<void>;
  /** A log notification on the call's own stream. */
  event(data: Readonly<Record<string, unknown>>): Promise<void>;
};

export type ToolCall = {
  readonly args: ToolArguments;
  readonly facts: TokenFacts;
  readonly stream: ToolStream;
};

const STEPS = ['gather', 'clean', 'join', 'count', 'draw', 'write'];
const DEFAULT_STEP_MS = 300;
const DEFAULT_WATCH_SECONDS = 30;
const SECOND_MS = 1_000;

const number = (value: unknown, fallback: number): number => (typeof value === 'number' ? value : fallback);

/** True if the time passed, false if the call was cancelled meanwhile. */
const wait = (ms: number, signal: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal }).catch(() => false);

const buildReport = async ({ args, stream }: ToolCall): Promise<ToolResult> => {
  const title = args['title'];
  if (typeof title !== 'string' || title === '') return toolError('title is required');
  const stepMs = number(args['stepMs'], DEFAULT_STEP_MS);
  const done: string[] = [];
  for (const step of STEPS) {
    if (!(await wait(stepMs, stream.signal))) break;
    done.push(step);
    await stream.progress(done.length, STEPS.length, step);
  }
  return structured({
    title,
    steps: done,
    summary: `Report on ${title}: ${done.length} of ${STEPS.length} steps.`,
  });
};

const watchQueue = async ({ args, stream }: ToolCall): Promise<ToolResult> => {
  const seconds = number(args['seconds'], DEFAULT_WATCH_SECONDS);
  let events = 0;
  while (events < seconds && (await wait(SECOND_MS, stream.signal))) {
    events += 1;
    await stream.event({ waiting: (events * 7) % 10, second: events });
    await stream.progress(events, seconds, `second ${events}`);
  }
  const cancelled = stream.signal.aborted;
  // A cancelled call has no answer to see it by.
  console.log(JSON.stringify({ message: 'watch_queue ended', events, cancelled }));
  return structured({ events, cancelled });
};

/** Handlers by tool name. */
export const REPORTS_HANDLERS: Readonly<Record<string, (call: ToolCall) => Promise<ToolResult>>> = {
  build_report: buildReport,
  watch_queue: watchQueue,
  whoami: async ({ facts }) => whoami(facts),
};

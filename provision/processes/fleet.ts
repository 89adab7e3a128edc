// All units together: each starts when what it waits for is ready, and they end in the reverse of that order.

import type { Program, ProgramPlace } from '#provision/processes/program.ts';
import { createProgram } from '#provision/processes/program.ts';
import type { ProgramUnit, Unit } from '#provision/processes/unit.ts';

export type FleetEvents = {
  /** A unit is ready or a task done. */
  readonly onReady: (name: string, detail: string, tookMs: number) => void;
};

export type Fleet = {
  /** Resolves when every unit is ready; rejects with the first failure, after which the caller stops the fleet. */
  start(): Promise<void>;
  /** Replaces a program by a successor of it without a gap. Rejects if there is none of that name, or it fails. */
  replace(name: string): Promise<void>;
  /** Ends everything, last started first. */
  stop(): Promise<void>;
};

/** What everybody has beside the time of each level, milliseconds; then what still runs is killed. */
const STOP_MARGIN_MS = 1_000;

/** Programs by how many others stand below them: level 0 waits for nobody. */
const levelsOf = (units: readonly Unit[]): ReadonlyMap<string, number> => {
  const levels = new Map<string, number>();
  const levelOf = (name: string): number => {
    const known = levels.get(name);
    if (known !== undefined) return known;
    const unit = units.find((candidate) => candidate.name === name);
    const level = unit === undefined ? -1 : Math.max(-1, ...unit.after.map(levelOf)) + 1;
    levels.set(name, level);
    return level;
  };
  for (const unit of units) levelOf(unit.name);
  return levels;
};

/** As long as a stop may take: one level waits for the one above it. */
const stopDeadline = (units: readonly ProgramUnit[], levels: ReadonlyMap<string, number>): number => {
  const longest = new Map<number | undefined, number>();
  for (const { name, stopMs } of units) {
    const level = levels.get(name);
    longest.set(level, Math.max(stopMs, longest.get(level) ?? 0));
  }
  return [...longest.values()].reduce((sum, stopMs) => sum + stopMs, STOP_MARGIN_MS);
};

const stopByLevel = async (
  programs: ReadonlyMap<string, Program>,
  levels: ReadonlyMap<string, number>,
): Promise<void> => {
  const deepest = Math.max(0, ...levels.values());
  for (let level = deepest; level >= 0; level -= 1) {
    const here = [...programs].filter(([name]) => levels.get(name) === level);
    await Promise.all(here.map(([, program]) => program.stop()));
  }
};

/** A fleet of units, none started yet. */
export const createFleet = (units: readonly Unit[], place: ProgramPlace, events: FleetEvents): Fleet => {
  const stopping = new AbortController();
  const programUnits = units.filter((unit): unit is ProgramUnit => unit.kind === 'program');
  const programs = new Map(programUnits.map((unit) => [unit.name, createProgram(unit, place)]));
  const started = new Map<string, Promise<void>>();

  const startUnit = async (unit: Unit): Promise<void> => {
    await Promise.all(unit.after.map(startOnce));
    if (stopping.signal.aborted) return;
    const startedAt = performance.now();
    const detail =
      unit.kind === 'task' ? await unit.run(stopping.signal) : await programs.get(unit.name)?.start();
    if (!stopping.signal.aborted)
      events.onReady(unit.name, detail ?? '', Math.round(performance.now() - startedAt));
  };

  const startOnce = (name: string): Promise<void> => {
    const unit = units.find((candidate) => candidate.name === name);
    if (unit === undefined) return Promise.reject(new Error(`there is no unit ${name} to wait for`));
    const starting = started.get(name) ?? startUnit(unit);
    started.set(name, starting);
    return starting;
  };

  return {
    start: async () => {
      await Promise.all(units.map(({ name }) => startOnce(name)));
    },
    replace: async (name) => {
      const program = programs.get(name);
      if (program === undefined)
        throw new Error(`there is no ${name}; there are: ${[...programs.keys()].join(', ')}`);
      await program.replace();
    },
    stop: async () => {
      stopping.abort();
      const levels = levelsOf(units);
      const force = setTimeout(
        () => {
          for (const program of programs.values()) program.kill();
        },
        stopDeadline(programUnits, levels),
      );
      await stopByLevel(programs, levels);
      clearTimeout(force);
    },
  };
};

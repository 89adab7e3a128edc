// Throws and releases kill switches. What a switch names must exist when it is thrown, because a slip in an emergency
// must not look like success; afterwards it may go: a switch never stands in the way of removing what it is about, and
// what is made again under that name is stopped as well.

import type { KillSwitch, SwitchTarget } from '#core/kill-switch.ts';
import { err } from '#core/result.ts';
import { isSameJson } from '#core/same-json.ts';
import type { Tenant } from '#core/tenant.ts';
import { notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem, withoutItem } from '#registry/commands/replace-by-id.ts';
import { killSwitchName } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';
import { judgeTarget, parseTarget, type SentTarget } from '#registry/commands/switch-target.ts';

/** A switch as it is sent. */
export type SentSwitch = Omit<KillSwitch, 'target'> & { readonly target: SentTarget };

export const findKillSwitch = (tenant: Tenant, id: string): KillSwitch | undefined =>
  tenant.killSwitches.find((candidate) => candidate.id === id);

const endOf = ({ until }: Pick<KillSwitch, 'until'>): number =>
  until === undefined ? Infinity : Date.parse(until);

/**
 * Whether `sent` lets somebody through whom `thrown` stops: it names another target, or ends sooner. Whoever throws a
 * switch must not release another one by it unseen.
 */
export const releases = (thrown: KillSwitch, sent: SentSwitch, nowMs: number): boolean => {
  if (endOf(thrown) <= nowMs) return false;
  const target = parseTarget(sent.target);
  return target.ok && (!isSameJson(target.value, thrown.target) || endOf(sent) < endOf(thrown));
};

const judgeUntil = ({ until }: SentSwitch, nowMs: number) => {
  if (until === undefined) return [];
  const moment = Date.parse(until);
  if (Number.isNaN(moment)) return [{ pointer: '/until', message: 'is no moment of the calendar' }];
  return moment <= nowMs ? [{ pointer: '/until', message: 'has passed: this would stop nobody' }] : [];
};

const isKept = (thrown: KillSwitch | undefined, target: SwitchTarget): boolean =>
  thrown !== undefined && isSameJson(thrown.target, target);

/**
 * Throws a switch, or changes the one of this id.
 * @param nowMs wall clock, milliseconds since the epoch.
 * @returns the outcome; or invalid, with what is wrong with the target or its end.
 */
export const putKillSwitch = (before: Tenant, sent: SentSwitch, nowMs: number): Outcome => {
  const resource = killSwitchName(sent.id);
  const target = parseTarget(sent.target);
  const faults = judgeUntil(sent, nowMs);
  if (!target.ok) return settle({ before, after: before, resource, faults: [...target.error, ...faults] });
  const known = isKept(findKillSwitch(before, sent.id), target.value)
    ? []
    : judgeTarget(before, target.value);
  const thrown: KillSwitch = { ...sent, target: target.value };
  return settle({
    before,
    after: { ...before, killSwitches: withItem(before.killSwitches, thrown) },
    resource,
    faults: [...known, ...faults],
  });
};

/** Releases a switch, or clears away one that has lapsed. */
export const removeKillSwitch = (before: Tenant, id: string): Outcome =>
  findKillSwitch(before, id) === undefined
    ? err(notFound(`kill switch ${id}`))
    : settle({
        before,
        after: { ...before, killSwitches: withoutItem(before.killSwitches, id) },
        resource: killSwitchName(id),
      });

// The directories as the identity provider sees them now: who exists, who is switched off, whose sessions were ended.
// Looks things up and judges nothing.

import type { DemoApplication, DemoDirectory, DemoUser } from '#demo/directory.ts';

export type World = {
  readonly directories: readonly DemoDirectory[];
  findDirectory(tid: string): DemoDirectory | undefined;
  /** By name or `name@directory.example`. */
  findUser(directory: DemoDirectory, userName: string): DemoUser | undefined;
  findUserByOid(directory: DemoDirectory, oid: string): DemoUser | undefined;
  findApplication(directory: DemoDirectory, clientId: string): DemoApplication | undefined;
  /** By Application ID URI or client id. */
  findResource(directory: DemoDirectory, resource: string): DemoApplication | undefined;
  isEnabled(user: DemoUser): boolean;
  setEnabled(userName: string, enabled: boolean): void;
  /** Tokens of the user issued before this second are dead for an exchange. */
  sessionsValidFrom(user: DemoUser): number;
  revokeSessions(userName: string, nowSeconds: number): void;
  /** The user is gone. */
  remove(userName: string): void;
  /** Object ids of people of a directory that were changed, in that order, as often as they were. */
  changes(directory: DemoDirectory): readonly string[];
};

export type PersonChange = { readonly oid: string; readonly changeType: 'updated' | 'deleted' };

/** `alice@contoso.example`: what a person would type. */
export const userPrincipalName = (directory: DemoDirectory, user: DemoUser): string =>
  `${user.name}@${directory.name}.example`;

/**
 * The world over the given directories and applications, everybody enabled.
 * @param onChange hears of everybody who is changed.
 */
export const createWorld = (
  directories: readonly DemoDirectory[],
  applications: readonly DemoApplication[],
  onChange: (directory: DemoDirectory, change: PersonChange) => void = () => undefined,
): World => {
  const disabled = new Set<string>();
  const revoked = new Map<string, number>();
  const removed = new Set<string>();
  const changed = new Map<string, string[]>();
  const isThere = ({ name }: DemoUser): boolean => !removed.has(name);
  const note = (userName: string, changeType: PersonChange['changeType']): void => {
    for (const directory of directories) {
      const user = directory.users.find(({ name }) => name === userName);
      if (user === undefined) continue;
      changed.set(directory.tid, [...(changed.get(directory.tid) ?? []), user.oid]);
      onChange(directory, { oid: user.oid, changeType });
    }
  };
  const isIn = (directory: DemoDirectory, application: DemoApplication): boolean =>
    application.directories.includes(directory.tid);
  return {
    directories,
    findDirectory: (tid) => directories.find((directory) => directory.tid === tid),
    findUser: (directory, userName) =>
      directory.users.find(
        (user) =>
          isThere(user) && (user.name === userName || userPrincipalName(directory, user) === userName),
      ),
    findUserByOid: (directory, oid) => directory.users.find((user) => isThere(user) && user.oid === oid),
    findApplication: (directory, clientId) =>
      applications.find((application) => application.clientId === clientId && isIn(directory, application)),
    findResource: (directory, resource) =>
      applications.find(
        (application) =>
          application.identifierUri !== undefined &&
          [application.identifierUri, application.clientId, ...(application.otherUris ?? [])].includes(
            resource,
          ) &&
          isIn(directory, application),
      ),
    isEnabled: (user) => !disabled.has(user.name),
    setEnabled: (userName, enabled) => {
      if (enabled) disabled.delete(userName);
      else disabled.add(userName);
      note(userName, 'updated');
    },
    sessionsValidFrom: (user) => revoked.get(user.name) ?? 0,
    revokeSessions: (userName, nowSeconds) => {
      revoked.set(userName, nowSeconds);
      note(userName, 'updated');
    },
    remove: (userName) => {
      removed.add(userName);
      note(userName, 'deleted');
    },
    changes: ({ tid }) => changed.get(tid) ?? [],
  };
};

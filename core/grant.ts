// Who may use what of which server. Grants only add; nothing here reads arguments.

export const SUBJECT_KINDS = ['group', 'role', 'user', 'application'] as const;

export type GrantSubject = {
  readonly kind: (typeof SUBJECT_KINDS)[number];
  /**
   * The group's or role's value as it stands in the token, the application's client id, or for a user the directory
   * object id (`oid`), else `sub`.
   */
  readonly id: string;
  /**
   * Absent: members of any `home` issuer. Callers of a `partner` issuer, and guests of a home directory, are matched
   * only by subjects that name their issuer.
   */
  readonly issuerId?: string;
};

export type Grant = {
  readonly id: string;
  readonly serverId: string;
  readonly subjects: readonly GrantSubject[];
  /** Exact names, or `*` for every tool of the pinned version. */
  readonly tools: readonly string[];
  /** Exact prompt names or `*`. */
  readonly prompts: readonly string[];
  /** Exact resource URIs or `*`. */
  readonly resources: readonly string[];
};

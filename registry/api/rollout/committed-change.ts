// What a request has committed, as its answer needs it to follow the rollout.

export type CommittedChange = {
  readonly tenantId: string;
  readonly revision: number;
  /** False: what was asked for was so already, by a revision of somebody else. */
  readonly isOwn: boolean;
};

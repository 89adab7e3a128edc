// What the lint has to say: an error stands in the way of publishing, a warning is for the admin who approves.

export type Finding = {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  /** JSON Pointer (RFC 6901) into the manifest as it was sent. */
  readonly pointer: string;
  readonly message: string;
};

/** RFC 6901 §3. */
export const pointerTo = (parent: string, key: string | number): string =>
  `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;

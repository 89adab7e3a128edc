// What a version says on the wire: the digest of the content, and with which publication it was told, so that an Envoy
// which comes with resources of another xds-server shows how far that one was. Contents are compared by digest alone.

/** Of a resource, delta. */
export const toldVersion = (digest: string, sequence: number): string => `${digest}@${sequence}`;

/** Of a whole response, state of the world. It is another one for every response. */
export const responseVersion = (sequence: number, nonce: string): string => `${sequence}.${nonce}`;

const readSequence = (text: string): number => (/^\d{1,15}$/.test(text) ? Number(text) : -1);

/** Publication of a response told on an earlier connection; -1 for what is no version of ours. */
export const responseSequence = (version: string): number => readSequence(version.split('.', 1)[0] ?? '');

/** Digests by name, and the newest publication any of them was told with; -1 for none. */
export const readHeld = (
  versions: Readonly<Record<string, string>>,
): { readonly held: Readonly<Record<string, string>>; readonly sequence: number } => {
  let sequence = -1;
  const held = Object.entries(versions).map(([name, version]) => {
    const [digest = '', told = ''] = version.split('@', 2);
    sequence = Math.max(sequence, readSequence(told));
    return [name, digest] as const;
  });
  return { held: Object.fromEntries(held), sequence };
};

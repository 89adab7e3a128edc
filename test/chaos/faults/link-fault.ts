// What may be wrong with a link between two processes, and when each piece of what is sent over it arrives. Pure, and the
// same for the same seed.

/** Every field may be left out; together they add up. */
export type LinkFault = {
  /** Each piece arrives so much later. */
  readonly latencyMs?: number;
  /** And up to so much later still; never before what was sent earlier, as TCP delivers in order. */
  readonly jitterMs?: number;
  /** Share of pieces that are lost and sent again, 0 to below 1. What follows waits for them. */
  readonly loss?: number;
  /** What the link carries, each way. */
  readonly bytesPerSecond?: number;
  /** Longest piece, bytes. */
  readonly pieceBytes?: number;
  /** Nothing passes and nobody is told. What was sent meanwhile arrives when this is over, as TCP sends it again. */
  readonly isSilent?: boolean;
};

/** First wait before a lost piece is sent again, doubled with each further loss; Linux, RFC 6298 §2. */
export const RESEND_MS = 200;

/** A path that loses a piece so often is no path; a run must end. */
const MOST_RESENDS = 5;

/** As an Ethernet segment. */
export const PIECE_BYTES = 1_460;

const resendMs = (loss: number, random: () => number): number => {
  let waitMs = 0;
  for (let resends = 0; resends < MOST_RESENDS && random() < loss; resends += 1)
    waitMs += RESEND_MS * 2 ** resends;
  return waitMs;
};

/** When a piece that is sent at `nowMs` arrives. One for each direction of each connection. */
export const createArrivals = (random: () => number) => {
  let lastMs = 0;
  let carriedUntilMs = 0;
  return (fault: LinkFault, bytes: number, nowMs: number): number => {
    const { latencyMs = 0, jitterMs = 0, loss = 0, bytesPerSecond } = fault;
    if (bytesPerSecond !== undefined)
      carriedUntilMs = Math.max(carriedUntilMs, nowMs) + (bytes / bytesPerSecond) * 1_000;
    const sentMs = bytesPerSecond === undefined ? nowMs : carriedUntilMs;
    const delayMs = latencyMs + random() * jitterMs + resendMs(loss, random);
    lastMs = Math.max(lastMs, sentMs + delayMs);
    return lastMs;
  };
};

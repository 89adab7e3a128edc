// Answers of the receiver as transmitters and Graph read them.

import type { FastifyReply } from 'fastify';
import type { EventsAnswer } from '#registry/signals/receive-events.ts';
import type { NotificationsAnswer } from '#registry/signals/take-notifications.ts';

const RETRY_AFTER_SECONDS = '5';

/** Graph's are a few hundred characters. */
const MAX_VALIDATION_LENGTH = 2_048;

/** Ours to mend, and the sender is to try again: what is refused for good is lost. */
export const answerFailure = (reply: FastifyReply): FastifyReply =>
  reply.code(503).header('retry-after', RETRY_AFTER_SECONDS).send();

/**
 * RFC 8935 §2.2 to §2.4. A repeated token is answered as if it came for the first time (§2): the transmitter may not have
 * heard the answer.
 * @returns how it ended, for the metric.
 */
export const answerEvents = (reply: FastifyReply, answer: EventsAnswer): string => {
  switch (answer.kind) {
    case 'accepted':
    case 'repeated':
      reply.code(202).send();
      return answer.kind;
    case 'refused':
      reply
        .code(400)
        .headers({ 'content-type': 'application/json', 'content-language': 'en' })
        .send({ err: answer.refusal.code, description: answer.refusal.description });
      return answer.refusal.code;
    case 'unavailable':
      answerFailure(reply);
      return 'unavailable';
  }
};

const STATUS: Readonly<Record<Exclude<NotificationsAnswer, 'unavailable'>, number>> = {
  accepted: 202,
  unreadable: 400,
  denied: 403,
};

/** @returns how it ended, for the metric. */
export const answerNotifications = (reply: FastifyReply, answer: NotificationsAnswer): string => {
  if (answer === 'unavailable') answerFailure(reply);
  else reply.code(STATUS[answer]).send();
  return answer;
};

/**
 * The handshake of a new subscription: what was sent comes back, as text that no browser takes for anything else, because
 * anybody may send anything here.
 * @returns how it ended, for the metric.
 */
export const answerValidation = (reply: FastifyReply, token: unknown): string => {
  if (typeof token !== 'string' || token === '' || token.length > MAX_VALIDATION_LENGTH) {
    reply.code(400).send();
    return 'unreadable';
  }
  reply.code(200).header('content-type', 'text/plain; charset=utf-8').send(token);
  return 'validated';
};

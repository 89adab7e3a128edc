// An answer, or none in time. Redis is asked on the way of a call, and a slow one must not make the call slow.

/** Undefined where the work failed or took longer; what comes of it later is nobody's concern here. */
export const answerWithin = async <T>(
  work: Promise<T>,
  limitMs: number,
): Promise<{ readonly value: T } | undefined> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, limitMs, undefined);
  });
  const answered = work.then(
    (value) => ({ value }),
    () => undefined,
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
};

// Arithmetic on a monotonic clock that wraps: every clock of the package is a uint32 of milliseconds.

/** Monotonic milliseconds, uint32, wraps every 49.7 days. Compare with {@link until}, never with `<`. */
export type Instant = number;

/** A span of milliseconds, at most 2^31 - 1 (24.8 days). */
export type Millis = number;

/** How long it is from `now` until `then`; negative when `then` has passed. */
export const until = (then: Instant, now: Instant): Millis => (then - now) | 0;

/** How long ago `start` was: up to 49.7 days, where {@link until} sees 24.8. */
export const since = (start: Instant, now: Instant): Millis => (now - start) >>> 0;

/** No deadline lies further ahead, 12.4 days: what seems to has passed while the host slept. */
export const MAX_AHEAD: Millis = 2 ** 30;

/** How long it is until a deadline; 0 when it has passed, were it weeks ago. @param most how far ahead it can lie */
export function remaining(deadline: Instant, now: Instant, most: Millis = MAX_AHEAD): Millis {
  const left = until(deadline, now);
  return left > most ? 0 : Math.max(0, left);
}

/** The instant `millis` after `start`. */
export const after = (start: Instant, millis: Millis): Instant => (start + millis) >>> 0;

/** The earlier of two deadlines that may not be set. */
export const sooner = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || (b !== undefined && until(b, a) < 0) ? b : a;

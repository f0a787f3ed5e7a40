// Arithmetic on a monotonic clock that wraps: every clock of the package is a uint32 of milliseconds.

/** Monotonic milliseconds, uint32, wraps every 49.7 days. Compare with {@link until}, never with `<`. */
export type Instant = number;

/** A span of milliseconds, at most 2^31 - 1 (24.8 days). */
export type Millis = number;

/** How long it is from `now` until `then`; negative when `then` has passed. */
export const until = (then: Instant, now: Instant): Millis => (then - now) | 0;

/** The instant `millis` after `start`. */
export const after = (start: Instant, millis: Millis): Instant => (start + millis) >>> 0;

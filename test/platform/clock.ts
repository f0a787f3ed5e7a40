// The only way the platform learns the time, so that a test can hand it a virtual one.

export type TimerHandle = unknown;

export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  setTimeout(run: () => void, milliseconds: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

export const hostClock: Clock = Object.freeze({
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (run: () => void, milliseconds: number) => setTimeout(run, milliseconds),
  clearTimeout: (handle: TimerHandle) => clearTimeout(handle as NodeJS.Timeout),
});

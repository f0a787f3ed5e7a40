// mqtt-mote/wheel: one timer of the host for all clients of a process, and the timer wheel behind it.

export { SharedAlarm, SharedTimer, type SharedTimerOptions, type TimerHost } from './timer/shared-timer.ts';
export { type TimerId, Wheel } from './timer/wheel.ts';

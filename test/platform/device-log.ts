// What devices did, as the platform's console would show it: one JSON object a line, never a secret or a password.
import { appendFileSync } from 'node:fs';

export interface LogEntry {
  readonly time: string;
  readonly event: 'online' | 'offline' | 'registered' | 'publish' | 'subscribe' | 'unsubscribe' | 'refused';
  readonly productKey?: string;
  readonly deviceName?: string;
  readonly clientId?: string;
  readonly listener?: string;
  readonly keepAliveSeconds?: number;
  readonly cleanSession?: boolean;
  readonly sessionPresent?: boolean;
  readonly topic?: string;
  readonly qos?: number;
  readonly bytes?: number;
  readonly filters?: readonly string[];
  readonly granted?: readonly number[];
  readonly reason?: string;
  readonly code?: number;
}

export interface LogOptions {
  /** How many entries are kept in memory; 1000 when left out. */
  readonly keep?: number;
  readonly listener?: (entry: LogEntry) => void;
  readonly file?: string;
  readonly stdout?: boolean;
}

export class DeviceLog {
  private readonly kept: LogEntry[] = [];
  private readonly options: LogOptions;
  private readonly now: () => number;

  constructor(now: () => number, options: LogOptions = {}) {
    this.now = now;
    this.options = options;
  }

  get entries(): readonly LogEntry[] {
    return this.kept;
  }

  append(fields: Omit<LogEntry, 'time'>): void {
    const entry: LogEntry = { time: new Date(this.now()).toISOString(), ...fields };
    this.kept.push(entry);
    if (this.kept.length > (this.options.keep ?? 1000)) this.kept.shift();
    this.options.listener?.(entry);
    const line = `${JSON.stringify(entry)}\n`;
    if (this.options.file !== undefined) appendFileSync(this.options.file, line);
    if (this.options.stdout === true) process.stdout.write(line);
  }
}

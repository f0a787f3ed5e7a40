// What `npm start` prints: who said what, in columns.

import { styleText } from 'node:util';
import { deviceSecret } from '../../src/index.ts';
import type { LogEntry } from '../../test/platform/device-log.ts';

const COLOURS = Object.freeze({ device: 'cyan', platform: 'magenta' } as const);

/** Colours are for people at a terminal who have not asked to be spared them (no-color.org). */
export const wantsColour = (isTerminal: boolean | undefined, noColour: string | undefined): boolean =>
  isTerminal === true && !noColour;

/** An entry of the platform's log, as a program would say it. */
export function tell(entry: LogEntry): string {
  const { event, listener, keepAliveSeconds, topic, qos, bytes, filters, granted, reason, code } = entry;
  const details: Record<LogEntry['event'], string> = {
    online: `at the ${listener} port, keep-alive ${keepAliveSeconds} s`,
    registered: `at the ${listener} port`,
    refused: `at the ${listener} port: ${reason}, code ${code}`,
    subscribe: `${filters}, granted QoS ${granted}`,
    unsubscribe: `${filters}`,
    publish: `${topic}, QoS ${qos}: ${bytes} bytes`,
    offline: `${reason}`,
  };
  return event.padEnd(12) + details[event];
}

export class Transcript {
  private readonly colour: boolean;
  private readonly print: (line: string) => void;

  constructor(colour: boolean, print: (line: string) => void) {
    this.colour = colour;
    this.print = print;
  }

  heading(title: string, aside = ''): void {
    this.print(`\n${this.style('bold', title)}${aside && `  ${this.style('dim', aside)}`}\n`);
  }

  ending(text: string): void {
    this.print(`\n${this.style('bold', text)}`);
  }

  values(values: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(values)) this.line(`${name.padEnd(14)}${value}`);
  }

  said(who: keyof typeof COLOURS, text: string): void {
    const style = text.startsWith('error') ? 'red' : COLOURS[who];
    this.line(`${this.style(style, who.padEnd(10))}${text}`);
  }

  /** The worked example of the platform's documentation, made by the code that the programs use. */
  workedExample(): void {
    const example = { productKey: 'pk', deviceName: 'device', clientId: '12345', timestamp: 789 };
    const identity = deviceSecret({ ...example, deviceSecret: 'secret' });
    const { clientId, userName, password } = identity.credentials({ number: 1, secure: false });
    this.heading('How a device logs in', 'the worked example of the platform’s documentation');
    this.values(example);
    this.line('');
    this.values({ 'client id': clientId, 'user name': userName, password });
    this.line('');
    this.line(
      'The password is a signature of the four values, made with the deviceSecret, which itself is never sent.',
    );
  }

  /** The device that the local platform was started with. */
  localDevice(productKey: string, deviceName: string): void {
    this.heading('A platform on this machine', 'with one device, for this run');
    this.values({ productKey, deviceName, deviceSecret: 'made for this run, and never shown' });
  }

  private line(text: string): void {
    this.print(`  ${text}`.trimEnd());
  }

  private style(style: Parameters<typeof styleText>[0], text: string): string {
    return this.colour ? styleText(style, text) : text;
  }
}

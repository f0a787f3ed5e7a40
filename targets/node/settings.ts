// What a program is told: flags, or environment variables of the same names (MQTT_MOTE_PRODUCT_KEY, ...).

import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Endpoint, hmacmd5, hmacsha1, hmacsha256, type SignMethod } from '../../src/index.ts';
import { toPem } from '../../src/trust.ts';

export interface Settings {
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  readonly endpoint: Endpoint;
  /** The roots to trust, PEM. */
  readonly ca: string | undefined;
  readonly keepAliveSeconds: number | undefined;
  readonly signMethod: SignMethod | undefined;
  readonly timeoutMillis: number;
}

/** The four values that the user fills in. */
const REQUIRED: readonly Option[] = [
  new Option('--product-key <key>', 'productKey of the device'),
  new Option('--device-name <name>', 'deviceName of the device'),
  new Option('--device-secret <secret>', 'deviceSecret of the device; safer in the environment'),
  new Option('--endpoint <host[:port]>', 'copied from the console of the platform'),
];

const SIGN_METHODS: Readonly<Record<string, SignMethod>> = { hmacsha1, hmacsha256, hmacmd5 };

const CA = new Option('--ca <file>', 'root certificates to trust, PEM or DER; left out: those of Node.js');
const KEEP_ALIVE = new Option('--keep-alive <seconds>', '30 to 1200; left out: 360');
const TIMEOUT = new Option('--timeout <seconds>', '1 to 3600, how long an answer may take; left out: 10');
const SIGN_METHOD = new Option('--sign-method <name>', 'what makes the password; left out: hmacsha1').choices(
  Object.keys(SIGN_METHODS),
);

const variable = (option: Option): string => `MQTT_MOTE_${option.name().toUpperCase().replaceAll('-', '_')}`;

const given = (command: Command, option: Option): string => command.getOptionValue(option.attributeName()) ?? '';

/** Commander's message as one line, without the value of a flag that it does not know: it may be a secret. */
const oneLine = (text: string): string =>
  `${text
    .replace(/(unknown option '[^'=]+)=[^']*/, '$1')
    .trim()
    .replace(/\s+/g, ' ')} (see --help)\n`;

/** A command with the flags of every program, read from the command line and the environment. */
export function parseCommand(name: string, description: string): Command {
  const command = new Command(name)
    .description(description)
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) });
  for (const option of [...REQUIRED, CA, KEEP_ALIVE, SIGN_METHOD, TIMEOUT]) {
    command.addOption(option.env(variable(option)));
  }
  return command.parse();
}

/** The flags of a command, as the environment that tells another program the same. */
export const environmentOf = (command: Command): Record<string, string | undefined> =>
  Object.fromEntries(command.options.map((it) => [variable(it), given(command, it) || undefined]));

/** Whether any of the four values is there. */
export const isConfigured = (command: Command): boolean => REQUIRED.some((it) => given(command, it) !== '');

/** Ends the process, with one line, unless all four values are there. */
export function requireValues(command: Command): void {
  const missing = REQUIRED.filter((it) => given(command, it) === '');
  if (missing.length === 0) return;
  const flags = missing.map((it) => it.long).join(', ');
  const variables = missing.map(variable).join(', ');
  command.error(`error: missing ${flags} (or ${variables}): copy from the console of the platform`);
}

const ENDPOINT = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+))(?::([0-9]+))?$/i;

function endpointOf(command: Command, port: number): Endpoint {
  const { endpoint } = command.opts();
  const [, address, name, ownPort] = ENDPOINT.exec(endpoint) ?? [];
  const host = address ?? name;
  if (!host) command.error(`error: --endpoint must be host or host:port, not '${endpoint}'`);
  return { host, port: Number(ownPort ?? port) };
}

function secondsOf(command: Command, option: Option): number | undefined {
  const text = given(command, option);
  if (text === '') return undefined;
  if (!/^[0-9]+$/.test(text)) command.error(`error: ${option.long} must be a whole number of seconds, not '${text}'`);
  if (option === TIMEOUT && !(Number(text) >= 1 && Number(text) <= 3_600)) {
    command.error(`error: ${option.long} must be 1 to 3600 seconds, not ${text}`);
  }
  return Number(text);
}

const DER_BEGIN = 0x30;

function readCa(command: Command): string | undefined {
  const file = given(command, CA);
  if (file === '') return undefined;
  try {
    const content = readFileSync(file);
    return content[0] === DER_BEGIN ? toPem(content) : content.toString();
  } catch (error) {
    command.error(`error: ${CA.long} cannot be read: ${(error as Error).message}`);
  }
}

/** The settings of a program; a wrong or missing one ends the process with one line that names it. */
export function readSettings(name: string, description: string, port: number): Settings {
  const command = parseCommand(name, description);
  requireValues(command);
  const { productKey, deviceName, deviceSecret } = command.opts();
  return {
    productKey,
    deviceName,
    deviceSecret,
    endpoint: endpointOf(command, port),
    ca: readCa(command),
    keepAliveSeconds: secondsOf(command, KEEP_ALIVE),
    signMethod: SIGN_METHODS[given(command, SIGN_METHOD)],
    timeoutMillis: (secondsOf(command, TIMEOUT) ?? 10) * 1_000,
  };
}

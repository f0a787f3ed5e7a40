// The command that runs the platform: npm run platform -- --help
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Platform } from './platform.ts';

interface Flags {
  readonly tcpPort: number;
  readonly privatePort: number;
  readonly publicPort: number;
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  readonly deviceLog?: string;
  readonly caDir?: string;
}

function port(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value > 65535) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return value;
}

function readFlags(): Flags {
  return new Command('platform')
    .description('A local IoT platform to develop an MQTT device against.')
    .option('--tcp-port <port>', 'plain TCP, for tests only; 0 takes any free port', port, 1883)
    .option('--private-port <port>', 'TLS under the private root certificate', port, 8883)
    .option('--public-port <port>', 'TLS under the certificate that stands for the public one', port, 8443)
    .option('--product-key <key>', 'productKey of the one device', 'a1B2c3D4e5F')
    .option('--device-name <name>', 'its deviceName', 'device_01')
    .option('--device-secret <secret>', 'its deviceSecret', randomBytes(16).toString('hex'))
    .option('--device-log <file>', 'write what devices do to this file, one JSON object a line')
    .option('--ca-dir <folder>', 'where the root certificates go (default: a temporary folder)')
    .parse()
    .opts<Flags>();
}

function writeAuthorities(platform: Platform, folder: string): Readonly<Record<'private' | 'public', string>> {
  mkdirSync(folder, { recursive: true });
  const paths = { private: join(folder, 'private-ca.pem'), public: join(folder, 'public-ca.pem') };
  writeFileSync(paths.private, platform.authorities.private);
  writeFileSync(paths.public, platform.authorities.public);
  return paths;
}

function describe(
  platform: Platform,
  flags: Flags,
  authorities: Readonly<Record<'private' | 'public', string>>,
): string {
  const at = (kind: 'tcp' | 'private' | 'public') =>
    `${platform.endpoints[kind].host}:${platform.endpoints[kind].port}`;
  return [
    'The platform is running; Ctrl+C ends it.',
    '',
    `  TLS, private root   ${at('private')}   ${authorities.private}`,
    `  TLS, public root    ${at('public')}   ${authorities.public}`,
    `  TCP, tests only     ${at('tcp')}`,
    '',
    `  productKey          ${flags.productKey}`,
    `  deviceName          ${flags.deviceName}`,
    `  deviceSecret        ${flags.deviceSecret}`,
    ...(flags.deviceLog === undefined ? [] : ['', `  device log          ${flags.deviceLog}`]),
    '',
  ].join('\n');
}

function explain(error: unknown): string {
  const { code, address, port: taken, message } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${taken} on ${address} is already in use; choose another, or 0 for a free one.`;
  if (code === 'EACCES') return `Port ${taken} on ${address} may not be opened by this user; choose one above 1023.`;
  return message ?? String(error);
}

async function run(): Promise<void> {
  const flags = readFlags();
  const platform = await Platform.start({
    devices: [flags],
    ports: { tcp: flags.tcpPort, private: flags.privatePort, public: flags.publicPort },
    log: flags.deviceLog === undefined ? {} : { file: flags.deviceLog },
  });
  const folder = flags.caDir ?? mkdtempSync(join(tmpdir(), 'mqtt-mote-platform-'));
  const end = () => {
    if (flags.caDir === undefined) rmSync(folder, { recursive: true, force: true });
    void platform.close();
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const authorities = writeAuthorities(platform, folder);
  console.log(describe(platform, flags, authorities));
}

run().catch((error) => {
  console.error(explain(error));
  process.exit(1); // open ports would keep the process alive
});

// The rotation drill as a command: npm run drill -- --devices 50

import { Command, InvalidArgumentError } from 'commander';
import { runDrill } from './drill.ts';

function count(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 3 || value > 1_000) throw new InvalidArgumentError('3 to 1,000 devices.');
  return value;
}

const { devices } = new Command('drill')
  .description('Replaces the root certificates of a fleet on the local platform, in virtual time.')
  .option('--devices <count>', 'how many devices', count, 50)
  .parse()
  .opts<{ readonly devices: number }>();

try {
  const report = await runDrill(devices, console.log);
  const { published, logins, rolledBack } = report;
  console.log(
    `\n${devices} devices, ${logins} logins, ${published} publishes of QoS 1, ${rolledBack} sets rolled back: none lost.`,
  );
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

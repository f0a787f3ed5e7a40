// The end-to-end script with the adapters of Node, for whatever runs TypeScript and has Node's modules.

import { nodeTcp, nodeTls } from '../../../src/node.ts';
import { endToEnd } from '../../../targets/end-to-end/script.ts';

const { ca, ...device } = JSON.parse(process.env.DEVICE!);
endToEnd({ adapter: ca ? nodeTls({ ca }) : nodeTcp(), ...device, print: (line) => console.log(line) });

// The same inside XS: is told the certificates, and answers with what happened.

import { trust } from '../apps/trust.ts';

globalThis.handleCommand = (command) => {
  const input = JSON.parse(new TextDecoder().decode(command));
  return new TextEncoder().encode(JSON.stringify(trust(input))).buffer as ArrayBuffer;
};

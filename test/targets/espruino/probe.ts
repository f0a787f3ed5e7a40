// What a build of Espruino is like: how many variables it has, and whether its texts are Unicode.

import { memory, print } from '../../../targets/espruino/host.ts';

// As text of JSON, since the bundler would answer for a constant.
const isUnicode = JSON.parse('"\\u2460"').charCodeAt(0) === 0x2460;
print(`end ${memory()}, ${isUnicode ? 'unicode' : 'bytes'}`);

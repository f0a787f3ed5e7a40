// The vectors as a program for Espruino: a line each.

import { print } from '../../../targets/espruino/host.ts';
import { vectors } from '../../identity/vectors.ts';

for (const it of vectors()) print(it);
print('end ok');

// The slice, to be measured.

import { device } from '../../../targets/bundler/apps/slice.ts';
import { measured } from './measured.ts';

measured(device);

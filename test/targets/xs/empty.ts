// The bridge alone: what the measured programs are compared with.

import { ecma419Tcp } from '../../../src/ecma419.ts';
import { serve } from './guest.ts';

serve({ start: (parts) => void ecma419Tcp(parts) });

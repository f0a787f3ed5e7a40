// The vectors as a program inside XS: whatever it is told, it answers with them.

import { vectors } from '../../identity/vectors.ts';

globalThis.handleCommand = () => new TextEncoder().encode(JSON.stringify(vectors())).buffer as ArrayBuffer;

// The modules of Moddable that the example imports, as far as it uses them.

declare module 'embedded:io/socket/tcp' {
  const TCP: import('../../src/ecma419.ts').Ecma419Options['TCP'];
  export default TCP;
}

declare module 'embedded:io/socket/tcp/tls' {
  const TLSSocket: import('../../src/ecma419.ts').Ecma419TlsOptions['TLSSocket'];
  export default TLSSocket;
}

declare module 'embedded:io/socket/udp' {
  const UDP: unknown;
  export default UDP;
}

declare module 'embedded:network/dns/resolver/udp' {
  export default class Resolver {
    constructor(options: { servers: readonly string[]; socket: { io: unknown } });
    resolve(request: import('../../src/ecma419.ts').Ecma419Request): void;
  }
}

declare module 'timer' {
  const Timer: import('../../src/ecma419.ts').Ecma419Options['Timer'];
  export default Timer;
}

declare module 'time' {
  const Time: import('../../src/ecma419.ts').Ecma419Options['Time'];
  export default Time;
}

declare module 'crypt' {
  export class Digest {
    constructor(name: 'MD5' | 'SHA1' | 'SHA256');
    process(content: Uint8Array): ArrayBuffer;
  }
}

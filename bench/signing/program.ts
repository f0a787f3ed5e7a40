// HMAC on Node, in a process of its own: the first one, the import included, and one of many. Arguments: whose, which hash.

const [maker = '', hash = ''] = process.argv.slice(2);

type Hmac = (key: Uint8Array, content: Uint8Array) => Uint8Array;

/** How each is come by. What it imports is part of the first call. */
const MAKERS: Readonly<Record<string, () => Promise<Hmac>>> = {
  async noble() {
    const { hmacmd5, hmacsha1, hmacsha256 } = await import('../../src/identity/signing.ts');
    return { md5: hmacmd5, sha1: hmacsha1, sha256: hmacsha256 }[hash]!.hmac;
  },
  async 'node:crypto'() {
    const { createHmac } = await import('node:crypto');
    return (key, content) => createHmac(hash, key).update(content).digest();
  },
  async 'hmacOver(node:crypto)'() {
    const { createHash } = await import('node:crypto');
    const { hmacOver } = await import('../../src/native-hash.ts');
    return hmacOver((content) => createHash(hash).update(content).digest(), `hmac${hash}`).hmac;
  },
};

const key = new Uint8Array(32).fill(7);
const content = new Uint8Array(80).fill(9);
const ROUNDS = 2_000;

/** Microseconds of CPU that the process has spent. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const begin = spent();
const hmac = await MAKERS[maker]!();
const imported = spent();
hmac(key, content);
const called = spent();
let least = Number.POSITIVE_INFINITY;
for (let pass = 0; pass < 10; pass++) {
  const start = spent();
  for (let round = 0; round < ROUNDS; round++) hmac(key, content);
  least = Math.min(least, (spent() - start) / ROUNDS);
}
console.log(JSON.stringify({ import: imported - begin, first: called - imported, warm: least }));

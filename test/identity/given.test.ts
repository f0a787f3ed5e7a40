// Identities that a platform gives: what is sent and signed, with vectors T15 to T19, and the sentences about wrong input.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deviceToken, register, registerUnlisted, x509, x509Login } from '../../src/enrolment.ts';
import { type SubDeviceOptions, subDeviceLogin, subDeviceTopology } from '../../src/gateway.ts';
import { type Attempt, hmacmd5, hmacsha1, hmacsha256 } from '../../src/index.ts';
import { tuyaLegacy } from '../../src/tuya-legacy.ts';
import { tuyaLink, tuyaLinkChannel } from '../../src/tuyalink.ts';

const TLS: Attempt = { number: 1, secure: true };
const TCP: Attempt = { number: 1, secure: false };

const product = { productKey: 'pk', deviceName: 'device', productSecret: 'productsecret' };
const token = { productKey: 'pk', deviceName: 'device', clientId: 'given', deviceToken: '^1^160^c0ffee' };
const tuya = {
  deviceId: '6c0123456789abcdefghij',
  deviceSecret: '0123456789abcdef',
  wallClock: () => 1_607_635_284_999,
};
const sub: SubDeviceOptions = {
  productKey: 'pk',
  deviceName: 'sub1',
  deviceSecret: 'subsecret',
  timestamp: 1_581_417_203_000,
};

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

/** Draws this number. */
const drawing = (number: number) => () => number / 2 ** 32;

for (const [vector, signMethod, password] of [
  ['T15', hmacsha256, 'E1D438D9D3A0CDAD89A44A836EB48135B2C763548399E137EE0DF047D6616FFC'],
  ['T16', hmacsha1, 'B6209E62F857EB32E6173466D0E847EDFCC4C5BA'],
  ['T16', hmacmd5, 'E350DE12C5D5AE075D21E605E1D521B1'],
] as const) {
  test(`vector ${vector}: a registration is signed with the product's secret by ${signMethod.name}`, () => {
    const asker = register({ ...product, signMethod }).asker(drawing(12_345));
    assert.deepEqual(asker.credentials(TLS), {
      clientId: `device.pk|securemode=2,authType=register,random=12345,signmethod=${signMethod.name}|`,
      userName: 'device&pk',
      password,
    });
  });
}

test('vector T17: a gateway signs for a sub-device with its secret, whatever the session', () => {
  for (const cleanSession of [undefined, true, false]) {
    assert.deepEqual(subDeviceLogin({ ...sub, signMethod: hmacmd5, cleanSession }), {
      productKey: 'pk',
      deviceName: 'sub1',
      clientId: 'pk&sub1',
      timestamp: '1581417203000',
      signMethod: 'hmacMd5',
      sign: 'ADCA2E026C5D65D2D365F6B503F19D0F',
      cleanSession: String(cleanSession ?? true),
    });
  }
  const { signmethod, sign } = subDeviceTopology({ ...sub, signMethod: hmacmd5 });
  assert.deepEqual([signmethod, sign], ['hmacmd5', 'ADCA2E026C5D65D2D365F6B503F19D0F']);
  assert.equal(subDeviceLogin(sub).signMethod, 'hmacSha1');
  assert.equal(subDeviceLogin({ ...sub, signMethod: hmacsha256 }).signMethod, 'hmacSha256');
});

test('vector T18: TuyaLink signs its terms in their order, in small hex, with the second of the CONNECT', () => {
  assert.deepEqual(tuyaLink(tuya).credentials(TLS), {
    clientId: 'tuyalink_6c0123456789abcdefghij',
    userName: '6c0123456789abcdefghij|signMethod=hmacSha256,timestamp=1607635284,secureMode=1,accessType=1',
    password: '21c7c06ce073e4f7c99cf1265821b98b7337151fdee60d3255c8f2f627d32d4f',
  });
  assert.equal(tuyaLinkChannel('id'), 'tylink/id/channel/downlink/auto_subscribe');
});

test('vector T19: the older login of Tuya is one id, and the middle of a hash', () => {
  assert.deepEqual(tuyaLegacy({ deviceId: 'id', secretKey: '0123456789abcdef', md5 }).credentials(TLS), {
    clientId: 'id',
    userName: 'id',
    password: '61035123906e58e0',
  });
});

test('a registration asks with a new number for every CONNECT', () => {
  const numbers = [1, 2, 4_294_967_295];
  const asker = register(product).asker(() => numbers.shift()! / 2 ** 32);
  for (const number of [1, 2, 4_294_967_295]) {
    assert.match(asker.credentials(TLS).clientId, new RegExp(`,random=${number},`));
  }
});

test('a device on no list asks with securemode -2, and its instance where it has one', () => {
  const asker = registerUnlisted({ ...product, clientId: 'mac', instanceId: 'iot-1' }).asker(drawing(7));
  assert.equal(
    asker.credentials(TLS).clientId,
    'mac|securemode=-2,authType=regnwl,random=7,signmethod=hmacsha1,instanceId=iot-1|',
  );
});

test('a token is sent as it is, with the client id that came with it', () => {
  assert.deepEqual(deviceToken({ ...token, extras: { _ss: '1', ext: '3' } }).credentials(TLS), {
    clientId: 'given|securemode=-2,authType=connwl,_ss=1,ext=3|',
    userName: 'device&pk',
    password: '^1^160^c0ffee',
  });
});

test('a device with a certificate has no names the first time, and never a password', () => {
  assert.deepEqual(x509().asker(Math.random).credentials(TLS), {
    clientId: '|securemode=2,signmethod=hmacsha1|',
    userName: '&',
    password: '',
  });
  let time = 789;
  const login = x509Login({ productKey: 'pk', deviceName: 'device', clientId: 'mac', timestamp: () => time++ });
  for (const timestamp of [789, 790]) {
    assert.deepEqual(login.credentials(TLS), {
      clientId: `mac|securemode=2,signmethod=hmacsha1,timestamp=${timestamp}|`,
      userName: 'device&pk',
      password: '',
    });
  }
});

for (const [name, identity] of [
  ['registration', register(product).asker(Math.random)],
  ['a login with a token', deviceToken(token)],
  ['a login by certificate', x509().asker(Math.random)],
  ['TuyaLink', tuyaLink(tuya)],
  ['the older login of Tuya', tuyaLegacy({ deviceId: 'id', secretKey: 'key', md5 })],
] as const) {
  test(`${name} is refused over plain TCP, before anything is sent`, () => {
    assert.throws(() => identity.credentials(TCP), {
      code: 'bad-option',
      message: `${name} needs TLS: plain TCP shows the secret to everyone on the way`,
    });
  });
}

const MISTAKES: readonly [string, () => unknown][] = [
  ['productKey is missing', () => register({ ...product, productKey: '' })],
  ['deviceName is missing', () => deviceToken({ ...token, deviceName: 7 as never })],
  ['productSecret is missing', () => registerUnlisted({ ...product, productSecret: undefined as never })],
  [
    'productSecret begins or ends with a space: copy it again, without the space',
    () => register({ ...product, productSecret: 'productsecret ' }),
  ],
  [
    'deviceSecret begins or ends with a space: copy it again, without the space',
    () => tuyaLink({ ...tuya, deviceSecret: '\n0123456789abcdef' }),
  ],
  ['deviceName must not contain &', () => x509Login({ productKey: 'pk', deviceName: 'device&pk' })],
  ['deviceId is missing', () => tuyaLegacy({ deviceId: '', secretKey: 'key', md5 })],
  [
    'secretKey begins or ends with a space: copy it again, without the space',
    () => tuyaLegacy({ deviceId: 'id', secretKey: 'key ', md5 }),
  ],
  ['secretKey holds a lone surrogate', () => tuyaLegacy({ deviceId: 'id', secretKey: 'k\ud800', md5 })],
  [
    'md5 must be a function that hashes bytes',
    () => tuyaLegacy({ deviceId: 'id', secretKey: 'k', md5: 'md5' as never }),
  ],
  [
    'md5 must give 16 bytes, not 20',
    () => tuyaLegacy({ deviceId: 'id', secretKey: 'k', md5: () => new Uint8Array(20) }),
  ],
  ['deviceId must not contain /', () => tuyaLink({ ...tuya, deviceId: 'tylink/6c' })],
  ['clientId must be a string of at most 64 characters without |', () => deviceToken({ ...token, clientId: 'given|' })],
  ['clientId is missing', () => deviceToken({ ...token, clientId: '' })],
  [
    'clientId must be a string of at most 64 characters without |',
    () => register({ ...product, clientId: 'x'.repeat(65) }),
  ],
  ['extras.a must not contain ,', () => deviceToken({ ...token, extras: { a: '1,2' } })],
  ['extras must not contain =', () => deviceToken({ ...token, extras: { 'a=b': '1' } })],
  ['extras must not contain authType', () => deviceToken({ ...token, extras: { authType: 'register' } })],
  [
    'signMethod must be hmacsha1, hmacsha256 or hmacmd5, imported from mqtt-mote',
    () => register({ ...product, signMethod: 'hmacsha1' as never }),
  ],
  [
    'signMethod must be hmacsha1, hmacsha256 or hmacmd5, imported from mqtt-mote',
    () => subDeviceLogin({ ...sub, signMethod: 'hmacsha1' as never }),
  ],
  ['timestamp must be a whole number of milliseconds', () => x509({ timestamp: 1.5 })],
  ['timestamp must be a whole number of milliseconds', () => subDeviceLogin({ ...sub, timestamp: Number.NaN })],
  ['timestamp is missing', () => subDeviceTopology({ ...sub, timestamp: undefined as never })],
  ['wallClock must be a function, such as Date.now', () => tuyaLink({ ...tuya, wallClock: Date.now() as never })],
  ['TuyaLink signs with hmacsha256 only', () => tuyaLink({ ...tuya, signMethod: hmacsha1 })],
  [
    'wallClock must return milliseconds since 1970',
    () => tuyaLink({ ...tuya, wallClock: () => Number.NaN }).credentials(TLS),
  ],
];

for (const [message, make] of MISTAKES) {
  test(`wrong input: ${message}`, () => assert.throws(make, { code: 'bad-option', message }));
}

test('no secret is in what is thrown about it', () => {
  const thrown = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      return `${(error as Error).message} ${JSON.stringify(error)}`;
    }
    assert.fail('nothing was thrown');
  };
  assert.ok(!thrown(() => register({ ...product, productSecret: 'hush ' })).includes('hush'));
  assert.ok(!thrown(() => deviceToken({ ...token, deviceToken: ' hush' })).includes('hush'));
  assert.ok(!thrown(() => subDeviceLogin({ ...sub, deviceSecret: 'hush ' })).includes('hush'));
});

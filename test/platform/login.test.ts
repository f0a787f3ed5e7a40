// Who may log in: rows 15, 17, 18, 20 and 22 of the platform's demands, and the codes of those who may not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { IConnectPacket } from 'mqtt-packet';
import type { DeviceTriple } from './devices.ts';
import { Platform } from './platform.ts';
import type { Profile, SignMethod } from './profile.ts';
import { connectPacket, RawDevice } from './raw-device.ts';
import { sign } from './sign.ts';

interface Vector {
  readonly title: string;
  readonly device: DeviceTriple;
  readonly clientId: string;
  readonly timestamp?: string;
  readonly signMethod: SignMethod;
  readonly password: string;
}

const BASE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const UTF8_NAME = { ...BASE, deviceName: '传感器①' };
const UTF8_SECRET = { ...BASE, deviceSecret: '密钥é' };
const FULL = { productKey: 'a1B2c3D4e5F', deviceName: 'Device_01', deviceSecret: 'secret' };
const DEVICES = [BASE, UTF8_NAME, FULL];

function vector(
  title: string,
  signMethod: SignMethod,
  clientId: string,
  timestamp: string | undefined,
  password: string,
  device: DeviceTriple = BASE,
): Vector {
  return { title, device, clientId, signMethod, password, ...(timestamp === undefined ? {} : { timestamp }) };
}

const VECTORS: readonly Vector[] = [
  vector('T1', 'hmacsha1', '12345', '789', 'FAFD82A3D602B37FB0FA8B7892F24A477F851A14'),
  vector('T2', 'hmacmd5', '12345', '789', '14B198324FE55E1D3C88F2E705E201EE'),
  vector('T3', 'hmacsha256', '12345', '789', '6074A46A91B1EBB2CC4EA42790AD0E80202C9843859FC292E57C4EB19FAD9E57'),
  vector('T4', 'hmacsha1', '12345', undefined, '3504E4DF7CE4766D30F796EE973C9CE7FC5425CB'),
  vector('T5', 'hmacsha256', '12345', undefined, 'C8CB3DCB7159682438E5FD9A9C34F398E41BB8EDB6F222795E307BAFEE151090'),
  vector('T6', 'hmacsha1', '', '789', '8DF5CA1BF11F2C9E427750F4967C85442496F68F'),
  vector('T7', 'hmacmd5', '', undefined, 'C07C9FA9BE69010BCFAAF59322258CC2'),
  vector('T8', 'hmacsha256', '', undefined, '4E4FA898EA37565CB40779E7E48196C21A58565CF6C84EEFFCD400C63633E7C8'),
  vector(
    'T9',
    'hmacsha256',
    '设备-01',
    '789',
    '39467BCBDB6216B08A958C33EB68924472FDB527FBF944833A05BC22024328F2',
    UTF8_NAME,
  ),
  vector('T10', 'hmacsha1', '12345', '789', '59549615483DA3DEB617B2890596E8D0A41E4ACE', UTF8_SECRET),
  vector(
    'T11',
    'hmacsha256',
    'pk.device',
    '2524608000000',
    '2EAB47D05EC94FAB1A34E7E9F54AEBD34A1E15770F932E05300193007E0091E9',
  ),
  vector('T12', 'hmacsha256', '', '2524608000000', '9DEA83E5947409FB4220128787F6BC66D77090396D01E641880AB505497A6DF6'),
  vector('T13', 'hmacsha1', 'pk&device', '1700000000000', 'F7A491F48AA70396A0C8DB5E1BE8AFD9A6B6BBDF'),
  vector('T14', 'hmacsha1', 'ABC:DE', '1700000000000', '859EC84741B817EC60EE2E16027BF3638D710A53', FULL),
];

let platform: Platform;

before(async () => {
  platform = await Platform.start({ devices: DEVICES, ports: false });
});
after(() => platform.close());

/** The CONNACK code of one CONNECT, and whether the platform then closed. */
async function answerTo(packet: IConnectPacket, to = platform): Promise<number> {
  const device = RawDevice.inMemory(to);
  device.send(packet);
  const { returnCode = -1 } = await device.next('connack');
  if (returnCode === 0) device.port.finish();
  await device.whenClosed; // a refusal is followed by a close
  return returnCode;
}

async function answerWith(profile: Partial<Profile>, packet: IConnectPacket): Promise<number> {
  const other = await Platform.start({ devices: DEVICES, ports: false, profile });
  try {
    return await answerTo(packet, other);
  } finally {
    await other.close();
  }
}

function connectOf(vector: Vector, changes: Partial<IConnectPacket> = {}): IConnectPacket {
  const { device, clientId, signMethod, timestamp, password } = vector;
  const options = { clientId, signMethod, ...(timestamp === undefined ? {} : { timestamp }) };
  return { ...connectPacket(device, options), password: Buffer.from(password), ...changes };
}

function flipBit(hex: string, bit: number): string {
  const bytes = Buffer.from(hex, 'hex');
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  return bytes.toString('hex');
}

/** Another text of the same length, different in one character that stays legal where it stands. */
function* oneCharacterChanged(text: string): Generator<string> {
  const characters = [...text];
  for (const [index, character] of characters.entries()) {
    yield [...characters.slice(0, index), character === '7' ? '8' : '7', ...characters.slice(index + 1)].join('');
  }
}

for (const sample of VECTORS) {
  test(`[row 18] the platform accepts the signature of vector ${sample.title}, in either case of hex`, async () => {
    platform.addDevice(sample.device);
    assert.equal(await answerTo(connectOf(sample)), 0);
    assert.equal(await answerTo(connectOf(sample, { password: Buffer.from(sample.password.toLowerCase()) })), 0);
    platform.addDevice(BASE);
  });

  test(`[row 18] the platform refuses vector ${sample.title} with 5 when one bit of its password is changed`, async () => {
    platform.addDevice(sample.device);
    for (let bit = 0; bit < sample.password.length * 4; bit++) {
      const password = Buffer.from(flipBit(sample.password, bit));
      assert.equal(await answerTo(connectOf(sample, { password })), 5, `bit ${bit}`);
    }
    platform.addDevice(BASE);
  });

  test(`[row 18] the platform refuses vector ${sample.title} with 5 when one character that was signed is changed`, async () => {
    platform.addDevice(sample.device);
    const changed = [
      ...[...oneCharacterChanged(sample.clientId)].map((clientId) => ({ ...sample, clientId })),
      ...[...oneCharacterChanged(sample.timestamp ?? '')].map((timestamp) => ({ ...sample, timestamp })),
      ...[...oneCharacterChanged(sample.device.deviceName)].map((deviceName) => onDevice(sample, { deviceName })),
      ...[...oneCharacterChanged(sample.device.productKey)].map((productKey) => onDevice(sample, { productKey })),
    ];
    for (const other of changed) assert.equal(await answerTo(connectOf(other)), 5, JSON.stringify(other));
    for (const deviceSecret of oneCharacterChanged(sample.device.deviceSecret)) {
      platform.addDevice({ ...sample.device, deviceSecret });
      assert.equal(await answerTo(connectOf(sample)), 5, deviceSecret);
    }
    platform.addDevice(sample.device);
    platform.addDevice(BASE);
  });
}

/** The vector on a device that is registered too, so that only the signature can be what is wrong. */
function onDevice(sample: Vector, change: Partial<DeviceTriple>): Vector {
  const device = { ...sample.device, ...change };
  platform.addDevice(device);
  return { ...sample, device };
}

test('[row 20] a timestamp or clientId that differs from the one in the client id is refused with 5', async () => {
  const signed = { ...BASE, clientId: '12345', timestamp: '789' };
  const sent = connectPacket(BASE, { clientId: '12345', timestamp: '789' });
  for (const parameters of [
    { ...signed, timestamp: '790' },
    { ...signed, clientId: '12346' },
    { ...signed, timestamp: undefined },
    { ...signed, clientId: undefined },
  ]) {
    const password = Buffer.from(sign('hmacsha256', BASE.deviceSecret, parameters));
    assert.equal(await answerTo({ ...sent, password }), 5);
  }
});

test('[row 20] a signed timestamp that the client id does not hold is refused with 5', async () => {
  const password = Buffer.from(sign('hmacsha1', BASE.deviceSecret, { ...BASE, clientId: '12345', timestamp: '789' }));
  assert.equal(await answerTo({ ...connectPacket(BASE, { signMethod: 'hmacsha1' }), password }), 5);
});

test('[row 22] a password that is not hex of the length its method gives is refused with 4', async () => {
  const lengths = { hmacmd5: 32, hmacsha1: 40, hmacsha256: 64 } as const;
  for (const signMethod of ['hmacmd5', 'hmacsha1', 'hmacsha256'] as const) {
    const packet = connectPacket(BASE, { signMethod });
    const hex = packet.password?.toString() ?? '';
    assert.equal(hex.length, lengths[signMethod]);
    const base64 = Buffer.from(hex, 'hex').toString('base64');
    for (const wrong of [base64, hex.slice(1), `${hex}0`, `${hex.slice(1)}g`, '', ` ${hex.slice(1)}`]) {
      assert.equal(await answerTo({ ...packet, password: Buffer.from(wrong) }), 4, wrong);
    }
    const { password: _, ...without } = packet;
    assert.equal(await answerTo(without), 4);
    assert.equal(await answerTo({ ...packet, password: Buffer.from(hex, 'hex') }), 4);
  }
});

test('a malformed user name is refused with 4', async () => {
  const packet = connectPacket(BASE);
  for (const username of ['device', '&pk', 'device&', 'a&b&c', '']) {
    assert.equal(await answerTo({ ...packet, username }), 4, username);
  }
});

test('a malformed client id is refused with 2', async () => {
  const packet = connectPacket(BASE);
  const pairs = 'securemode=3,signmethod=hmacsha256';
  const malformed = [
    '12345',
    `12345|${pairs}`,
    `12345|${pairs}|x`,
    `12345||${pairs}|`,
    '12345||',
    '12345|securemode=3|',
    '12345|signmethod=hmacsha256|',
    '12345|securemode=3,signmethod=sha256|',
    `12345|${pairs},securemode=3|`,
    `12345|${pairs},nothing|`,
    `12345|${pairs},=1|`,
    `12345|${pairs},timestamp=soon|`,
    `${'x'.repeat(65)}|${pairs}|`,
  ];
  for (const clientId of malformed) assert.equal(await answerTo({ ...packet, clientId }), 2, clientId);
});

test('the pairs of a client id may come in any order, with empty items, a trailing comma and unknown keys', async () => {
  const packet = connectPacket(BASE, { timestamp: '789' });
  for (const pairs of [
    'timestamp=789,signmethod=hmacsha256,securemode=3',
    'timestamp=789,_ss=1,_v=sdk-c-4.0.0,securemode=3,signmethod=hmacsha256,ext=3,',
    ',securemode=3,,signmethod=hmacsha256,timestamp=789,lan=C,_v=a=b',
  ]) {
    assert.equal(await answerTo({ ...packet, clientId: `12345|${pairs}|` }), 0, pairs);
  }
  const longest = connectPacket(BASE, { clientId: '号'.repeat(64) });
  assert.equal(await answerTo(longest), 0);
});

test('an empty clientId counts as signed empty, as left out, or as either, by the profile', async () => {
  const leftOut = connectOf(VECTORS[7]!);
  const signed = connectOf(VECTORS[11]!);
  assert.equal(await answerWith({ emptyClientId: 'signed' }, signed), 0);
  assert.equal(await answerWith({ emptyClientId: 'signed' }, leftOut), 5);
  assert.equal(await answerWith({ emptyClientId: 'leftOut' }, signed), 5);
  assert.equal(await answerWith({ emptyClientId: 'leftOut' }, leftOut), 0);
});

test('a device that is unknown or disabled is refused with 5 until it is known or enabled', async () => {
  const late = { productKey: 'pk', deviceName: 'late', deviceSecret: 'late secret' };
  assert.equal(await answerTo(connectPacket(late)), 5);
  platform.addDevice(late);
  assert.equal(await answerTo(connectPacket(late)), 0);
  platform.disableDevice(late);
  assert.equal(await answerTo(connectPacket(late)), 5);
  platform.enableDevice(late);
  assert.equal(await answerTo(connectPacket(late)), 0);
});

test('the secure mode must fit the listener', async () => {
  for (const [kind, mode, code] of [
    ['tcp', '3', 0],
    ['tcp', '2', 2],
    ['private', '2', 0],
    ['private', '3', 2],
    ['public', '2', 0],
    ['public', '3', 2],
  ] as const) {
    const device = RawDevice.inMemory(platform, kind);
    assert.equal((await device.login(BASE, { secureMode: mode })).returnCode, code, `${kind} ${mode}`);
    device.port.finish();
  }
});

test('protocol levels other than 3 and 4 are refused with 1', async () => {
  assert.equal(await answerTo({ ...connectPacket(BASE), protocolVersion: 5 }), 1);
  assert.equal(await answerTo({ ...connectPacket(BASE), protocolVersion: 3, protocolId: 'MQIsdp' }), 0);
  const device = RawDevice.inMemory(platform);
  device.port.stream.write(Buffer.from('101000044d5154540602012c000461626364', 'hex'));
  assert.equal((await device.next('connack')).returnCode, 1);
  await device.whenClosed;
});

test('[row 15] a keep-alive of 30 or 1200 s is accepted', async () => {
  for (const keepAliveSeconds of [30, 1200]) {
    assert.equal(await answerTo(connectPacket(BASE, { keepAliveSeconds })), 0);
  }
});

for (const keepAliveSeconds of [0, 29, 1201, 65535]) {
  test(`[row 15] [row 17] a keep-alive of ${keepAliveSeconds} s gets CONNACK 3 and a close`, async () => {
    assert.equal(await answerTo(connectPacket(BASE, { keepAliveSeconds })), 3);
  });
}

test('a keep-alive above 1200 s is accepted where the profile clamps it, one below 30 s is not', async () => {
  assert.equal(await answerWith({ clampLongKeepAlive: true }, connectPacket(BASE, { keepAliveSeconds: 65535 })), 0);
  assert.equal(await answerWith({ clampLongKeepAlive: true }, connectPacket(BASE, { keepAliveSeconds: 29 })), 3);
});

test('a test can have every login refused with one code', async () => {
  platform.refuseWith = 3;
  assert.equal(await answerTo(connectPacket(BASE)), 3);
  platform.refuseWith = undefined;
  assert.equal(await answerTo(connectPacket(BASE)), 0);
});

// Signing, with every vector of the platform (T1 to T14), and the rules of what is sent and signed.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { deviceSecret, hmacmd5, hmacsha1, hmacsha256, type SignMethod } from '../../src/index.ts';

const TCP = { number: 1, secure: false } as const;
const TLS = { number: 1, secure: true } as const;

const base = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret', clientId: '12345', timestamp: 789 };
const { clientId: _c, ...noClientId } = base;
const { timestamp: _t, ...noTimestamp } = base;
const { timestamp: _, ...neither } = noClientId;

/** Name, options, method, password. */
const VECTORS: readonly [string, Parameters<typeof deviceSecret>[0], SignMethod, string][] = [
  ['T1', base, hmacsha1, 'FAFD82A3D602B37FB0FA8B7892F24A477F851A14'],
  ['T2', base, hmacmd5, '14B198324FE55E1D3C88F2E705E201EE'],
  ['T3', base, hmacsha256, '6074A46A91B1EBB2CC4EA42790AD0E80202C9843859FC292E57C4EB19FAD9E57'],
  ['T4', noTimestamp, hmacsha1, '3504E4DF7CE4766D30F796EE973C9CE7FC5425CB'],
  ['T5', noTimestamp, hmacsha256, 'C8CB3DCB7159682438E5FD9A9C34F398E41BB8EDB6F222795E307BAFEE151090'],
  ['T6', noClientId, hmacsha1, '8DF5CA1BF11F2C9E427750F4967C85442496F68F'],
  ['T7', neither, hmacmd5, 'C07C9FA9BE69010BCFAAF59322258CC2'],
  ['T8', neither, hmacsha256, '4E4FA898EA37565CB40779E7E48196C21A58565CF6C84EEFFCD400C63633E7C8'],
  [
    'T9',
    { ...base, clientId: '设备-01', deviceName: '传感器①' },
    hmacsha256,
    '39467BCBDB6216B08A958C33EB68924472FDB527FBF944833A05BC22024328F2',
  ],
  ['T10', { ...base, deviceSecret: '密钥é' }, hmacsha1, '59549615483DA3DEB617B2890596E8D0A41E4ACE'],
  [
    'T11',
    { ...base, clientId: 'pk.device', timestamp: 2_524_608_000_000 },
    hmacsha256,
    '2EAB47D05EC94FAB1A34E7E9F54AEBD34A1E15770F932E05300193007E0091E9',
  ],
  [
    'T12',
    { ...base, clientId: '', timestamp: 2_524_608_000_000 },
    hmacsha256,
    '9DEA83E5947409FB4220128787F6BC66D77090396D01E641880AB505497A6DF6',
  ],
  [
    'T13',
    { ...base, clientId: 'pk&device', timestamp: 1_700_000_000_000 },
    hmacsha1,
    'F7A491F48AA70396A0C8DB5E1BE8AFD9A6B6BBDF',
  ],
  [
    'T14',
    {
      ...base,
      clientId: 'ABC:DE',
      deviceName: 'Device_01',
      productKey: 'a1B2c3D4e5F',
      timestamp: 1_700_000_000_000,
    },
    hmacsha1,
    '859EC84741B817EC60EE2E16027BF3638D710A53',
  ],
];

for (const [name, options, signMethod, password] of VECTORS) {
  test(`[row 18] vector ${name} is signed with ${signMethod.name}`, () => {
    assert.equal(deviceSecret({ ...options, signMethod }).credentials(TCP).password, password);
  });
}

test('[row 21] the worked example makes exactly its client id, user name and password', () => {
  assert.deepEqual(deviceSecret(base).credentials(TCP), {
    clientId: '12345|securemode=3,signmethod=hmacsha1,timestamp=789|',
    userName: 'device&pk',
    password: 'FAFD82A3D602B37FB0FA8B7892F24A477F851A14',
  });
});

test('[row 19] timestamp and clientId are optional: what is left out is neither sent nor signed', () => {
  assert.equal(deviceSecret(neither).credentials(TLS).clientId, '|securemode=2,signmethod=hmacsha1|');
  assert.equal(deviceSecret(noTimestamp).credentials(TLS).clientId, '12345|securemode=2,signmethod=hmacsha1|');
  assert.equal(deviceSecret(noClientId).credentials(TLS).clientId, '|securemode=2,signmethod=hmacsha1,timestamp=789|');
});

for (const name of ['productKey', 'deviceName', 'deviceSecret'] as const) {
  test(`[row 19] ${name} is required: without it deviceSecret throws before any socket`, () => {
    for (const value of ['', undefined, 7]) {
      assert.throws(() => deviceSecret({ ...base, [name]: value } as typeof base), {
        code: 'bad-option',
        message: `${name} is missing`,
      });
    }
  });
}

test('[row 20] whatever time the clock gives, the timestamp in the client id is the one that was signed', () => {
  let clock = 0;
  const identity = deviceSecret({ ...base, timestamp: () => ++clock });
  for (const attempt of [1, 2, 3]) {
    const { clientId, password } = identity.credentials({ ...TLS, number: attempt });
    assert.equal(clientId, `12345|securemode=2,signmethod=hmacsha1,timestamp=${attempt}|`);
    const content = `clientId12345deviceNamedeviceproductKeypktimestamp${attempt}`;
    assert.equal(password, createHmac('sha1', 'secret').update(content).digest('hex').toUpperCase());
  }
});

test('extras are sent and not signed', () => {
  const { clientId, password } = deviceSecret({ ...base, extras: { _v: 'mote-1', lan: 'JS' } }).credentials(TLS);
  assert.equal(clientId, '12345|securemode=2,signmethod=hmacsha1,timestamp=789,_v=mote-1,lan=JS|');
  assert.equal(password, VECTORS[0]?.[3]);
});

test('a host can supply its own hash', () => {
  const native: SignMethod = { name: 'hmacsha1', hmac: (key, text) => createHmac('sha1', key).update(text).digest() };
  assert.equal(deviceSecret({ ...base, signMethod: native }).credentials(TCP).password, VECTORS[0]?.[3]);
});

const FAULTS: readonly [object, string][] = [
  [{ productKey: 'p&k' }, 'productKey must not contain &'],
  [{ clientId: 'a|b' }, 'clientId must be a string of at most 64 characters without |'],
  [{ clientId: 'x'.repeat(65) }, 'clientId must be a string of at most 64 characters without |'],
  [{ clientId: 5 }, 'clientId must be a string of at most 64 characters without |'],
  [{ timestamp: 1.5 }, 'timestamp must be a whole number of milliseconds'],
  [{ extras: { securemode: '3' } }, 'extras must not contain securemode'],
  [{ extras: { '': '3' } }, 'extras is missing'],
  [{ extras: { a: '1,2' } }, 'extras.a must not contain ,'],
  [{ extras: { 'a=b': '1' } }, 'extras must not contain ='],
  [{ signMethod: 'hmacsha1' }, 'signMethod must be hmacsha1, hmacsha256 or hmacmd5, imported from mqtt-mote'],
  [{ deviceName: 'device&pk' }, 'deviceName must not contain &'],
  [{ productKey: ' pk' }, 'productKey begins or ends with a space: copy it again, without the space'],
  [{ deviceName: 'device\t' }, 'deviceName begins or ends with a space: copy it again, without the space'],
];

for (const [fault, message] of FAULTS) {
  test(`a bad option is refused: ${message}`, () => {
    assert.throws(() => deviceSecret({ ...base, ...fault }), { code: 'bad-option', message });
  });
}

for (const deviceSecretWithSpace of ['hush ', ' hush', 'hush\r\n']) {
  test(`wrong input: the secret with a space, ${JSON.stringify(deviceSecretWithSpace)}, is refused at once, and is not in the error`, () => {
    const message = 'deviceSecret begins or ends with a space: copy it again, without the space';
    const fault = { ...base, deviceSecret: deviceSecretWithSpace };
    assert.throws(() => deviceSecret(fault), { code: 'bad-option', reason: 'deviceSecret', message });
  });
}

test('a clock that gives nonsense is found at the dial', () => {
  const identity = deviceSecret({ ...base, timestamp: () => Number.NaN });
  assert.throws(() => identity.credentials(TLS), { code: 'bad-option' });
});

test('a lone surrogate in the secret is refused, and the secret is not in the error', () => {
  const identity = deviceSecret({ ...base, deviceSecret: 'hush\ud800' });
  assert.throws(
    () => identity.credentials(TLS),
    (error: Error & { code: string }) => error.code === 'bad-option' && !error.message.includes('hush'),
  );
});

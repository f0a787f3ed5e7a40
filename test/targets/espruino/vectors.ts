// The platform's signing vectors on Espruino: one line each, `T1 FAFD...`. Texts beyond ASCII need a unicode build.

import { register } from '../../../src/enrolment.ts';
import { subDeviceLogin } from '../../../src/gateway.ts';
import { deviceSecret, hmacmd5, hmacsha1, hmacsha256, type SignMethod } from '../../../src/index.ts';
import { tuyaLink } from '../../../src/tuyalink.ts';
import { hmacsha1 as nativeSha1, print } from '../../../targets/espruino/host.ts';

const TCP = { number: 1, secure: false };
const TLS = { number: 1, secure: true };

interface Change {
  readonly clientId?: string | undefined;
  readonly timestamp?: number | undefined;
  readonly productKey?: string;
  readonly deviceName?: string;
  readonly deviceSecret?: string;
}

function login(name: string, signMethod: SignMethod, change: Change): void {
  const base = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret', clientId: '12345', timestamp: 789 };
  print(`${name} ${deviceSecret({ ...base, ...change, signMethod }).credentials(TCP).password}`);
}

function ask(name: string, signMethod: SignMethod): void {
  const method = register({ productKey: 'pk', deviceName: 'device', productSecret: 'productsecret', signMethod });
  print(`${name} ${method.asker(() => 12_345.5 / 4_294_967_296).credentials(TLS).password}`);
}

const NEITHER = { clientId: undefined, timestamp: undefined };

login('T1', hmacsha1, {});
login('T1 native', nativeSha1, {});
login('T2', hmacmd5, {});
login('T3', hmacsha256, {});
login('T4', hmacsha1, { timestamp: undefined });
login('T5', hmacsha256, { timestamp: undefined });
login('T6', hmacsha1, { clientId: undefined });
login('T7', hmacmd5, NEITHER);
login('T8', hmacsha256, NEITHER);
// As text of JSON, since the bundler would answer for a constant.
if (JSON.parse('"\\u2460"').charCodeAt(0) === 0x2460) {
  login('T9', hmacsha256, { clientId: '设备-01', deviceName: '传感器①' });
  login('T10', hmacsha1, { deviceSecret: '密钥é' });
}
login('T11', hmacsha256, { clientId: 'pk.device', timestamp: 2_524_608_000_000 });
login('T12', hmacsha256, { clientId: '', timestamp: 2_524_608_000_000 });
login('T13', hmacsha1, { clientId: 'pk&device', timestamp: 1_700_000_000_000 });
login('T14', hmacsha1, {
  clientId: 'ABC:DE',
  deviceName: 'Device_01',
  productKey: 'a1B2c3D4e5F',
  timestamp: 1_700_000_000_000,
});
ask('T15', hmacsha256);
ask('T16', hmacsha1);
ask('T16 md5', hmacmd5);

const subDevice = { productKey: 'pk', deviceName: 'sub1', deviceSecret: 'subsecret', timestamp: 1_581_417_203_000 };
print(`T17 ${subDeviceLogin({ ...subDevice, signMethod: hmacmd5 }).sign}`);

const tuya = {
  deviceId: '6c0123456789abcdefghij',
  deviceSecret: '0123456789abcdef',
  wallClock: () => 1_607_635_284_000,
};
print(`T18 ${tuyaLink(tuya).credentials(TLS).password}`);
print('end ok');

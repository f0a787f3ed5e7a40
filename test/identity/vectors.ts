// The test vectors of the platform, T1 to T19, made by the identities as a device uses them. Asks its host for nothing, so that any
// engine can run it.

import { md5 } from '@noble/hashes/legacy.js';
import { register } from '../../src/enrolment.ts';
import { subDeviceLogin } from '../../src/gateway.ts';
import {
  type DeviceSecretOptions,
  deviceSecret,
  hmacmd5,
  hmacsha1,
  hmacsha256,
  type SignMethod,
} from '../../src/index.ts';
import { tuyaLegacy } from '../../src/tuya-legacy.ts';
import { tuyaLink } from '../../src/tuyalink.ts';

/** What the platform's page says. */
export const EXPECTED: readonly string[] = [
  'T1 FAFD82A3D602B37FB0FA8B7892F24A477F851A14',
  'T2 14B198324FE55E1D3C88F2E705E201EE',
  'T3 6074A46A91B1EBB2CC4EA42790AD0E80202C9843859FC292E57C4EB19FAD9E57',
  'T4 3504E4DF7CE4766D30F796EE973C9CE7FC5425CB',
  'T5 C8CB3DCB7159682438E5FD9A9C34F398E41BB8EDB6F222795E307BAFEE151090',
  'T6 8DF5CA1BF11F2C9E427750F4967C85442496F68F',
  'T7 C07C9FA9BE69010BCFAAF59322258CC2',
  'T8 4E4FA898EA37565CB40779E7E48196C21A58565CF6C84EEFFCD400C63633E7C8',
  'T9 39467BCBDB6216B08A958C33EB68924472FDB527FBF944833A05BC22024328F2',
  'T10 59549615483DA3DEB617B2890596E8D0A41E4ACE',
  'T11 2EAB47D05EC94FAB1A34E7E9F54AEBD34A1E15770F932E05300193007E0091E9',
  'T12 9DEA83E5947409FB4220128787F6BC66D77090396D01E641880AB505497A6DF6',
  'T13 F7A491F48AA70396A0C8DB5E1BE8AFD9A6B6BBDF',
  'T14 859EC84741B817EC60EE2E16027BF3638D710A53',
  'T15 E1D438D9D3A0CDAD89A44A836EB48135B2C763548399E137EE0DF047D6616FFC',
  'T16 B6209E62F857EB32E6173466D0E847EDFCC4C5BA',
  'T16 E350DE12C5D5AE075D21E605E1D521B1',
  'T17 ADCA2E026C5D65D2D365F6B503F19D0F',
  'T18 21c7c06ce073e4f7c99cf1265821b98b7337151fdee60d3255c8f2f627d32d4f',
  'T19 61035123906e58e0',
];

const TLS = { number: 1, secure: true };

const triple = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

const signed = (signMethod: SignMethod, options: Partial<DeviceSecretOptions>): string =>
  deviceSecret({ ...triple, ...options, signMethod }).credentials(TLS).password as string;

const registered = (signMethod: SignMethod): string => {
  const { productKey, deviceName } = triple;
  const method = register({ productKey, deviceName, productSecret: 'productsecret', signMethod });
  return method.asker(() => 12_345 / 2 ** 32).credentials(TLS).password as string;
};

/** One line for each vector. */
export function vectors(): string[] {
  const clientId = '12345';
  const timestamp = 789;
  const base = { clientId, timestamp };
  const tuya = { deviceId: '6c0123456789abcdefghij', deviceSecret: '0123456789abcdef' };
  const sub = { productKey: 'pk', deviceName: 'sub1', deviceSecret: 'subsecret', timestamp: 1_581_417_203_000 };
  const later = 2_524_608_000_000;
  const now = 1_700_000_000_000;
  return [
    `T1 ${signed(hmacsha1, base)}`,
    `T2 ${signed(hmacmd5, base)}`,
    `T3 ${signed(hmacsha256, base)}`,
    `T4 ${signed(hmacsha1, { clientId })}`,
    `T5 ${signed(hmacsha256, { clientId })}`,
    `T6 ${signed(hmacsha1, { timestamp })}`,
    `T7 ${signed(hmacmd5, {})}`,
    `T8 ${signed(hmacsha256, {})}`,
    `T9 ${signed(hmacsha256, { ...base, clientId: '\u8bbe\u5907-01', deviceName: '\u4f20\u611f\u5668\u2460' })}`,
    `T10 ${signed(hmacsha1, { ...base, deviceSecret: '\u5bc6\u94a5\u00e9' })}`,
    `T11 ${signed(hmacsha256, { clientId: 'pk.device', timestamp: later })}`,
    `T12 ${signed(hmacsha256, { clientId: '', timestamp: later })}`,
    `T13 ${signed(hmacsha1, { clientId: 'pk&device', timestamp: now })}`,
    `T14 ${signed(hmacsha1, { clientId: 'ABC:DE', deviceName: 'Device_01', productKey: 'a1B2c3D4e5F', timestamp: now })}`,
    `T15 ${registered(hmacsha256)}`,
    `T16 ${registered(hmacsha1)}`,
    `T16 ${registered(hmacmd5)}`,
    `T17 ${subDeviceLogin({ ...sub, signMethod: hmacmd5 }).sign}`,
    `T18 ${tuyaLink({ ...tuya, wallClock: () => 1_607_635_284_000 }).credentials(TLS).password}`,
    `T19 ${tuyaLegacy({ deviceId: 'id', secretKey: tuya.deviceSecret, md5 }).credentials(TLS).password}`,
  ];
}

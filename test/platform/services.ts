// What the cloud answers by itself: the time, and gateways that log the devices behind them in and out.
import type { DeviceIdentity, Devices } from './devices.ts';
import { deviceKey } from './devices.ts';
import type { SignMethod } from './profile.ts';
import { isWellFormedPassword, matches } from './sign.ts';

export interface Answer {
  readonly topic: string;
  readonly payload: string;
}

/** What a service needs of the connection that asks. */
export interface Asker {
  readonly device: DeviceIdentity;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly devices: Devices;
  /** The devices that are logged in behind this one. */
  readonly subDevices: Set<string>;
}

type Json = Readonly<Record<string, unknown>>;

/** The answer to a message, or undefined where no service is meant. */
export function serve(asker: Asker): Answer | undefined {
  const { device, topic } = asker;
  const { productKey, deviceName } = device;
  const own = `${productKey}/${deviceName}`;
  if (topic === `/ext/ntp/${own}/request`) return alinkTime(asker, `/ext/ntp/${own}/response`);
  if (topic === `tylink/${deviceName}/ext/time/request`) {
    return tuyaLinkTime(asker, `tylink/${deviceName}/ext/time/response`);
  }
  const session = new RegExp(`^/ext/session/${own}/combine/(login|logout)$`).exec(topic);
  if (session !== null) return combine(asker, session[1] as 'login' | 'logout');
  return topic === `/sys/${own}/thing/topo/add` ? addTopology(asker) : undefined;
}

function parse(payload: Buffer): Json {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

function alinkTime({ payload, now }: Asker, topic: string): Answer {
  const { deviceSendTime } = parse(payload);
  const [serverRecvTime, serverSendTime] = [String(now), String(now)];
  return { topic, payload: JSON.stringify({ deviceSendTime, serverRecvTime, serverSendTime }) };
}

function tuyaLinkTime({ payload, now }: Asker, topic: string): Answer | undefined {
  const { msgId, data } = parse(payload) as { readonly msgId?: unknown; readonly data?: Json };
  if (data?.bizType !== 'NTP') return undefined;
  const { dst } = data;
  return { topic, payload: JSON.stringify({ msgId, time: now, data: { bizType: 'NTP', dst, srt: now, sst: now } }) };
}

/** Spelled as in a login, and as in a topology. */
const METHODS: Readonly<Record<string, SignMethod>> = Object.freeze({
  hmacmd5: 'hmacmd5',
  hmacsha1: 'hmacsha1',
  hmacsha256: 'hmacsha256',
});

/** The device that the parameters are signed for, or the code of what is wrong with them. */
function signedFor(params: Json, methodName: unknown, devices: Devices): DeviceIdentity | number {
  const { productKey, deviceName, clientId, timestamp, sign } = params;
  const method = METHODS[String(methodName).toLowerCase()];
  if (typeof productKey !== 'string' || typeof deviceName !== 'string' || method === undefined) return 460;
  const device = devices.find(deviceKey({ productKey, deviceName }));
  if (device === undefined) return 6100;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const signed = { productKey, deviceName, clientId: text(clientId), timestamp: text(timestamp) };
  const isSigned =
    typeof sign === 'string' &&
    isWellFormedPassword(method, sign) &&
    matches(method, device.deviceSecret, signed, sign);
  return isSigned ? { productKey, deviceName } : 6287;
}

function reply(topic: string, request: Json, code: number, data: unknown): Answer {
  const message = code === 200 ? 'success' : 'refused';
  return { topic: `${topic}_reply`, payload: JSON.stringify({ id: request.id, code, message, data }) };
}

function combine(asker: Asker, action: 'login' | 'logout'): Answer | undefined {
  const { topic, payload, device, devices, subDevices } = asker;
  if (asker.qos !== 0) return undefined; // QoS 0 only.
  const request = parse(payload);
  const params = (request.params ?? {}) as Json;
  if (action === 'logout') {
    const { productKey, deviceName } = params as unknown as DeviceIdentity;
    const wasIn = subDevices.delete(deviceKey({ productKey, deviceName }));
    return reply(topic, request, wasIn ? 200 : 520, { productKey, deviceName });
  }
  const found = signedFor(params, params.signMethod, devices);
  if (typeof found === 'number') return reply(topic, request, found, {});
  if (!devices.isBehind(device, found)) return reply(topic, request, 6401, {});
  subDevices.add(deviceKey(found));
  return reply(topic, request, 200, found);
}

function addTopology({ topic, payload, device, devices }: Asker): Answer {
  const request = parse(payload);
  const list = Array.isArray(request.params) ? (request.params as Json[]) : [];
  const found = list.map((params) => signedFor(params, params.signmethod, devices));
  const wrong = found.find((it) => typeof it === 'number');
  if (wrong !== undefined || found.length === 0) return reply(topic, request, wrong ?? 460, {});
  for (const it of found) devices.addSubDevice(device, it as DeviceIdentity);
  return reply(topic, request, 200, found);
}

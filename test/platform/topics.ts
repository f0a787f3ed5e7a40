// Which topics a device may use, and which limits they must keep.
import type { DeviceIdentity } from './devices.ts';
import type { Profile } from './profile.ts';

/** The topic or filter that a template with {pk} and {dn} stands for. */
export function fill(template: string, device: DeviceIdentity): string {
  return template.replaceAll('{pk}', device.productKey).replaceAll('{dn}', device.deviceName);
}

export function mayPublish(topic: string, device: DeviceIdentity, profile: Profile): boolean {
  return !/[+#]/.test(topic) && isAllowed(topic, profile.publishTopics, device, profile);
}

export function maySubscribe(filter: string, device: DeviceIdentity, profile: Profile): boolean {
  return isWellFormedFilter(filter) && isAllowed(filter, profile.subscribeTopics, device, profile);
}

function isAllowed(text: string, templates: readonly string[], device: DeviceIdentity, profile: Profile): boolean {
  return keepsLimits(text, device, profile) && templates.some((template) => covers(fill(template, device), text));
}

function keepsLimits(text: string, device: DeviceIdentity, profile: Profile): boolean {
  if (Buffer.byteLength(text) > profile.topicMaximumBytes || text.endsWith('/')) return false;
  if (text.includes('//')) return false;
  const isCustom = text.startsWith(`/${device.productKey}/`);
  return !isCustom || text.split('/').length - 1 <= profile.customTopicMaximumSlashes;
}

function isWellFormedFilter(filter: string): boolean {
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1;
    return level === '+' || !/[+#]/.test(level);
  });
}

/** Whether every topic that matches `filter` also matches `permitted`. */
export function covers(permitted: string, filter: string): boolean {
  const wanted = filter.split('/');
  const allowed = permitted.split('/');
  for (const [index, level] of allowed.entries()) {
    if (level === '#') return true;
    const asked = wanted[index];
    if (asked === undefined || asked === '#') return false;
    if (level !== '+' && level !== asked) return false;
  }
  return wanted.length === allowed.length;
}

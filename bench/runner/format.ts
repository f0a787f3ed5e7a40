// How figures are written: three digits, thin spaces left to typographers.

/** 0.123, 1.23, 12.3, 123, 12,345. */
export function digits(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** 0.35 as `0.35 ×`: so much of what it is compared with. */
export const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;

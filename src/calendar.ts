// Dates without a host's own: small engines have none, or one that nobody has set.

const DAY = 86_400_000;

/** Days from 1970-01-01 to a day of the Gregorian calendar; months beyond 12 run on. */
function daysTo(year: number, month: number, day: number): number {
  const shifted = year + Math.floor((month - 3) / 12); // Years begin with March, so that leap days are their last.
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const monthOfYear = (((month - 3) % 12) + 12) % 12;
  const ofYear = Math.floor((153 * monthOfYear + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

/** Milliseconds since 1970 of a day and a time of it, UTC. */
export const millisOf = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number =>
  ((daysTo(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1_000;

const padded = (value: number, length: number): string => `000${value}`.slice(-length);

/** The day, UTC, as `2028-09-05`. */
export function dayOf(millis: number): string {
  const days = Math.floor(millis / DAY) + 719_468;
  const era = Math.floor(days / 146_097);
  const ofEra = days - era * 146_097;
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * month + 2) / 5) + 1;
  const isNext = month > 9; // January and February belong to the year before.
  return `${padded(year + era * 400 + (isNext ? 1 : 0), 4)}-${padded(month + (isNext ? -9 : 3), 2)}-${padded(day, 2)}`;
}

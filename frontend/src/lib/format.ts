/** Numbers and times as a person reads them; the templates' filters of the same names agree. */

import { t } from "./words";

const THIN_SPACE = "\u202f";

const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_DAY = 86_400;

/** Write a whole number in groups of three: 12 345. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) {
    throw new RangeError(`A count must be a finite number, got ${value}.`);
  }
  const digits = Math.abs(Math.round(value)).toString();
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return value <= -0.5 ? `\u2212${grouped}` : grouped;
}

/** Put the decimal mark of the page's language into a number that is written with a point. */
export function formatDecimal(text: string | number): string {
  return String(text).replace(".", t("."));
}

/** Write a time span in its two largest units: 45 s, 3 min 5 s, 2 h 10 min, 4 d 6 h. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new RangeError(`A duration must be a number of seconds from 0 up, got ${seconds}.`);
  }
  const whole = Math.round(seconds);
  if (whole < SECONDS_PER_MINUTE) {
    return unit(whole, "s");
  }
  if (whole < SECONDS_PER_HOUR) {
    return twoUnits(whole, SECONDS_PER_MINUTE, "min", 1, "s");
  }
  if (whole < SECONDS_PER_DAY) {
    return twoUnits(whole, SECONDS_PER_HOUR, "h", SECONDS_PER_MINUTE, "min");
  }
  return twoUnits(whole, SECONDS_PER_DAY, "d", SECONDS_PER_HOUR, "h");
}

function twoUnits(
  seconds: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string,
): string {
  const rest = Math.floor((seconds % large) / small);
  const head = unit(Math.floor(seconds / large), largeName);
  return rest === 0 ? head : `${head} ${unit(rest, smallName)}`;
}

function unit(value: number, name: string): string {
  return `${formatCount(value)}${THIN_SPACE}${name}`;
}

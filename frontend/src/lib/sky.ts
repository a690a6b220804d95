/** Where a single source lies on the sky, in words and on the pages of others. */

import type { Item } from "./classifying";
import { formatDecimal } from "./format";

export interface Place {
  ra_deg: number;
  dec_deg: number;
}

const SECONDS_PER_DEGREE = 3600;
const MINUS = "\u2212";

/** The position of a single subject; groups have none. */
export function placeOf({ context }: Item): Place | null {
  const { ra_deg, dec_deg } = context as Partial<Record<string, unknown>>;
  return typeof ra_deg === "number" && typeof dec_deg === "number" ? { ra_deg, dec_deg } : null;
}

/** Hours and degrees: 10h45m03.59s +59°41′04.3″. */
export function sexagesimal({ ra_deg, dec_deg }: Place): string {
  const hours = parts((((ra_deg % 360) + 360) % 360) / 15, 2);
  const [h, ...rest] = hours;
  const degrees = parts(Math.abs(dec_deg), 1);
  const sign = dec_deg < 0 ? MINUS : "+";
  return `${String(Number(h) % 24).padStart(2, "0")}h${rest[0]}m${rest[1]}s ${sign}${degrees[0]}°${degrees[1]}′${degrees[2]}″`;
}

/** Whole units, minutes and seconds, rounded once so that no 60 is ever written. */
function parts(value: number, decimals: number): [string, string, string] {
  const unit = 10 ** decimals;
  const total = Math.round(value * SECONDS_PER_DEGREE * unit);
  const seconds = total % (60 * unit);
  const minutes = Math.floor(total / (60 * unit));
  return [
    String(Math.floor(minutes / 60)).padStart(2, "0"),
    String(minutes % 60).padStart(2, "0"),
    (seconds / unit).toFixed(decimals).padStart(decimals + 3, "0"),
  ];
}

/** How wide a picture is on the sky: 45″ or 3.2′. */
export function sizeWords(arcsec: number): string {
  return arcsec < 120 ? `${Math.round(arcsec)}″` : `${formatDecimal((arcsec / 60).toFixed(1))}′`;
}

export function aladinUrl(place: Place): string {
  return `https://aladin.cds.unistra.fr/AladinLite/?target=${target(place)}&fov=0.10`;
}

export function simbadUrl(place: Place): string {
  const query = `Coord=${target(place)}&Radius=1&Radius.unit=arcmin`;
  return `https://simbad.cds.unistra.fr/simbad/sim-coo?${query}`;
}

function target({ ra_deg, dec_deg }: Place): string {
  const sign = dec_deg < 0 ? "-" : "+";
  return encodeURIComponent(`${ra_deg.toFixed(6)} ${sign}${Math.abs(dec_deg).toFixed(6)}`);
}

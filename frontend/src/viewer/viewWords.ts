/** The words for looks and poses. */
import type { Bands, Look } from "../lib/brightness";
import { bandsDrawn } from "../lib/brightness";
import type { Colormap } from "../lib/colormaps";
import { formatDecimal } from "../lib/format";
import type { Stretch } from "../lib/stretch";
import type { Pose, ViewCommand } from "../lib/viewing";
import { t } from "../lib/words";

export function stretchWords(stretch: Stretch): string {
  const words: Record<Stretch, string> = {
    linear: t("linear"),
    sqrt: t("square root"),
    asinh: t("asinh"),
    log: t("log"),
  };
  return words[stretch];
}

export function colormapWords(colormap: Colormap): string {
  const words: Record<Colormap, string> = {
    gray: t("gray"),
    ember: t("ember"),
    lagoon: t("lagoon"),
    helix: t("helix"),
  };
  return words[colormap];
}

export function bandsWords(bands: Bands, n_bands: number): string {
  const drawn = bandsDrawn(bands, n_bands);
  if (drawn === "color") return t("in color");
  return typeof drawn === "number" ? t("band {n}", { n: drawn + 1 }) : t("all together");
}

/** What a key has done to the look. */
export function lookWords({ do: done }: ViewCommand, look: Look, n_bands: number): string {
  if (done === "invert") return look.isInverted ? t("Inverted") : t("Not inverted");
  if (done === "band") return t("Bands: {name}", { name: bandsWords(look.bands, n_bands) });
  return t("Stretch: {name}", { name: stretchWords(look.stretch) });
}

export function poseWords(pose: Pose): string {
  return `${zoomWords(pose.zoom)}, ${angleWordsOf(pose.rotation_rad)}`;
}

export function zoomWords(zoom: number): string {
  return `${formatDecimal(Number(zoom.toFixed(zoom < 10 ? 1 : 0)))}×`;
}

export function angleWordsOf(angle_rad: number): string {
  return `${Math.round((angle_rad * 180) / Math.PI)}°`.replace("-", "−");
}

/** The keys of the viewer and what they do. */
export function viewKeys(): [string, string][] {
  return [
    ["+ −", t("zoom in and out")],
    [t("Shift and ↑ ↓ ← →"), t("look around in a zoomed picture")],
    ["[ ]", t("turn the pictures")],
    ["0", t("show them whole and unturned again")],
    ["i", t("swap black and white")],
    ["s", t("change how faint light is brought out")],
    [", .", t("change the band, if there are several")],
    ["v", t("open or close all of these as buttons")],
  ];
}

/** Reads the first image of a FITS file (standard 4.0) into planes of numbers; blank is NaN. */

export type Card = string | number | boolean;

export interface FitsImage {
  width: number;
  height: number;
  /** One for each channel, row 0 at the bottom. */
  planes: Float32Array[];
  header: Map<string, Card>;
}

const BLOCK = 2880;
const CARD = 80;

type Reader = (data: DataView, at: number) => number;

const READERS: Record<number, Reader> = {
  8: (data, at) => data.getUint8(at),
  16: (data, at) => data.getInt16(at),
  32: (data, at) => data.getInt32(at),
  [-32]: (data, at) => data.getFloat32(at),
  [-64]: (data, at) => data.getFloat64(at),
};

export function readFits(file: ArrayBuffer): FitsImage {
  const { header, end } = headerOf(file);
  const bits = numberOf(header, "BITPIX");
  const read = READERS[bits];
  if (!read) throw new Error(`FITS images of BITPIX ${bits} cannot be read.`);
  const n_axes = numberOf(header, "NAXIS");
  if (n_axes !== 2 && n_axes !== 3) throw new Error(`Images have 2 or 3 axes, not ${n_axes}.`);
  const width = numberOf(header, "NAXIS1");
  const height = numberOf(header, "NAXIS2");
  const n_planes = n_axes === 3 ? numberOf(header, "NAXIS3") : 1;
  const n_bytes = Math.abs(bits) / 8;
  const size = width * height;
  if (file.byteLength < end + n_planes * size * n_bytes) throw new Error("The file is cut off.");
  const value = scaled(read, header, bits);
  const data = new DataView(file, end);
  const planes = Array.from({ length: n_planes }, (_, plane) =>
    Float32Array.from({ length: size }, (_, place) =>
      value(data, (plane * size + place) * n_bytes),
    ),
  );
  return { width, height, planes, header };
}

function scaled(read: Reader, header: Map<string, Card>, bits: number): Reader {
  const step = numberOf(header, "BSCALE", 1);
  const zero = numberOf(header, "BZERO", 0);
  const blank = bits > 0 ? header.get("BLANK") : undefined;
  return (data, at) => {
    const stored = read(data, at);
    return stored === blank || !Number.isFinite(stored) ? Number.NaN : zero + step * stored;
  };
}

function headerOf(file: ArrayBuffer): { header: Map<string, Card>; end: number } {
  const header = new Map<string, Card>();
  for (let at = 0; at + CARD <= file.byteLength; at += CARD) {
    const card = String.fromCharCode(...new Uint8Array(file, at, CARD));
    const name = card.slice(0, 8).trimEnd();
    if (at === 0 && name !== "SIMPLE") throw new Error("This is not a FITS file.");
    if (name === "END") return { header, end: Math.ceil((at + CARD) / BLOCK) * BLOCK };
    const value = card.slice(8, 10) === "= " ? cardValue(card.slice(10)) : undefined;
    if (value !== undefined) header.set(name, value);
  }
  throw new Error("The header of the FITS file has no end.");
}

function cardValue(text: string): Card | undefined {
  const quoted = /^\s*'((?:[^']|'')*)'/.exec(text)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("''", "'").trimEnd();
  const bare = text.split("/", 1)[0]?.trim() ?? "";
  if (bare === "T" || bare === "F") return bare === "T";
  const value = Number(bare.replace("D", "E"));
  return bare === "" || Number.isNaN(value) ? undefined : value;
}

function numberOf(header: Map<string, Card>, name: string, otherwise?: number): number {
  const value = header.get(name) ?? otherwise;
  if (typeof value !== "number") throw new Error(`The header of the FITS file lacks ${name}.`);
  return value;
}

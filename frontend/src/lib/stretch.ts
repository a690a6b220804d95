/** Curves that bring faint structure up beside bright peaks, from [0, 1] to [0, 1]; as on the server. */

export const STRETCHES = ["linear", "sqrt", "asinh", "log"] as const;
export type Stretch = (typeof STRETCHES)[number];

/** Of the peak: linear below, logarithmic above. */
const SOFTENING = 0.1;
/** Peak over the faintest level that is still told apart. */
const LOG_RANGE = 1000;

const CURVES: Record<Stretch, (value: number) => number> = {
  linear: (value) => value,
  sqrt: Math.sqrt,
  asinh: (value) => Math.asinh(value / SOFTENING) / Math.asinh(1 / SOFTENING),
  log: (value) => Math.log1p(value * LOG_RANGE) / Math.log1p(LOG_RANGE),
};

/** The ways back, for values that went through a curve before they were stored. */
const INVERSES: Record<string, (value: number) => number> = {
  sqrt: (value) => value * Math.abs(value),
  cbrt: (value) => value ** 3,
  asinh: (value) => Math.sinh(value * Math.asinh(1 / SOFTENING)) * SOFTENING,
  log: (value) => Math.expm1(value * Math.log1p(LOG_RANGE)) / LOG_RANGE,
};

export function stretched(value: number, stretch: Stretch): number {
  return CURVES[stretch](value);
}

/** Values as they were before a curve; as they are if it is linear or unknown. */
export function unstretched(values: Float32Array, curve: string): Float32Array {
  const inverse = INVERSES[curve];
  return inverse ? values.map(inverse) : values;
}

/**
 * Fetches pixels ahead and keeps them ready for drawing.
 *
 * Few are fetched at once, so that votes find a free connection; what is on the page goes first.
 */
import { type Pixels, pixelsOf } from "../lib/brightness";
import { readFits } from "../lib/fits";

const AT_ONCE = 4;

interface Fetched {
  pixels: Pixels | null;
  arrival: Promise<Pixels>;
  /** Its turn has come, or nobody wants it any more. */
  start: () => void;
  drop: () => void;
}

const store = new Map<string, Fetched>();
let waiting: string[] = [];
let n_underWay = 0;

/** Pixels that have arrived. */
export function pixelsAt(address: string): Pixels | null {
  return store.get(address)?.pixels ?? null;
}

/** Fetches pixels once; an address that failed is forgotten and may be asked for again. */
export function fetchPixels(address: string, isUrgent = true): Promise<Pixels> {
  const known = store.get(address) ?? added(address);
  if (isUrgent && waiting.includes(address)) {
    waiting = [address, ...waiting.filter((other) => other !== address)];
  }
  startNext();
  return known.arrival;
}

/** Forgets all other addresses. */
export function keepPixels(addresses: ReadonlySet<string>): void {
  waiting = waiting.filter((address) => addresses.has(address));
  for (const [address, fetched] of store) {
    if (addresses.has(address)) continue;
    store.delete(address);
    fetched.drop();
  }
}

function added(address: string): Fetched {
  let start = () => {};
  let drop = () => {};
  const turn = new Promise<void>((resolve, reject) => {
    start = resolve;
    drop = () => reject(new Error(`${address} is no longer wanted.`));
  });
  const arrival = turn.then(() => download(address));
  const fetched: Fetched = { pixels: null, arrival, start, drop };
  arrival.then(
    (pixels) => {
      fetched.pixels = pixels;
    },
    () => {
      if (store.get(address) === fetched) store.delete(address);
    },
  );
  store.set(address, fetched);
  waiting.push(address);
  return fetched;
}

function startNext(): void {
  while (n_underWay < AT_ONCE) {
    const fetched = store.get(waiting.shift() ?? "");
    if (!fetched) return;
    n_underWay++;
    fetched.start();
    const done = () => {
      n_underWay--;
      startNext();
    };
    fetched.arrival.then(done, done);
  }
}

async function download(address: string): Promise<Pixels> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}.`);
  return pixelsOf(readFits(await answer.arrayBuffer()));
}

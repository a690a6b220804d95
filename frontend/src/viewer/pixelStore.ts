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
  start: () => void;
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
  for (const address of store.keys()) if (!addresses.has(address)) store.delete(address);
}

function added(address: string): Fetched {
  const { promise, resolve, reject } = promised<Pixels>();
  const fetched: Fetched = {
    pixels: null,
    arrival: promise,
    start: () => {
      n_underWay++;
      download(address)
        .then((pixels) => {
          fetched.pixels = pixels;
          resolve(pixels);
        })
        .catch((reason) => {
          if (store.get(address) === fetched) store.delete(address);
          reject(reason);
        })
        .finally(() => {
          n_underWay--;
          startNext();
        });
    },
  };
  store.set(address, fetched);
  waiting.push(address);
  return fetched;
}

function startNext(): void {
  while (n_underWay < AT_ONCE) {
    const address = waiting.shift();
    if (address === undefined) return;
    store.get(address)?.start();
  }
}

async function download(address: string): Promise<Pixels> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}.`);
  return pixelsOf(readFits(await answer.arrayBuffer()));
}

function promised<Value>() {
  let resolve: (value: Value) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

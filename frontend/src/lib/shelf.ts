/**
 * Where parcels lie in the browser until the server has taken them: in IndexedDB.
 *
 * What is put there is first written to the local storage, which is done before the tab can be closed;
 * it stays there where IndexedDB is denied. Where both are denied parcels lie in memory.
 */
import { inOrder, type Kept, parcelOf, type Vote } from "./parcels";

export interface Shelf {
  kept: () => Promise<Kept[]>;
  put: (parcel: Kept) => Promise<void>;
  remove: (uuid: string) => Promise<void>;
}

/** What a database of the browser does here. */
export interface Store {
  all: () => Promise<Kept[]>;
  put: (parcel: Kept) => Promise<void>;
  remove: (uuid: string) => Promise<void>;
}

const PREFIX = "protozoo.parcel.";
/** Votes of the time before parcels, each alone under its UUID. */
const OLD_PREFIX = "protozoo.vote.";

const DATABASE = "protozoo";
const PARCELS = "parcels";

/** A browser that takes longer to open its database never will. */
const LONGEST_OPENING_MS = 1500;

/** The browser's storage; null where cookies are forbidden, for then even asking for it throws. */
export function browserStorage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

export function shelfOf(storage: Storage | null, store: Store | null): Shelf {
  const inMemory = new Map<string, Kept>();
  return {
    kept: async () => {
      const stored = (await attempt(store?.all())) ?? [];
      const all = [...readAll(storage), ...stored, ...inMemory.values()];
      return inOrder([...new Map(all.map((one) => [one.uuid, one])).values()]);
    },
    put: async (parcel) => {
      const isWritten = write(storage, parcel);
      const isStored = await attempt(store?.put(parcel).then(() => true));
      if (isStored) storage?.removeItem(PREFIX + parcel.uuid);
      else if (!isWritten) inMemory.set(parcel.uuid, parcel);
    },
    remove: async (uuid) => {
      inMemory.delete(uuid);
      storage?.removeItem(PREFIX + uuid);
      storage?.removeItem(OLD_PREFIX + uuid);
      await attempt(store?.remove(uuid));
    },
  };
}

/** A failing database is as good as none: the storage and the memory stand in. */
async function attempt<Result>(work: Promise<Result> | undefined): Promise<Result | null> {
  try {
    return (await work) ?? null;
  } catch {
    return null;
  }
}

// The local storage ---------------------------------------------------------------------------
function write(storage: Storage | null, parcel: Kept): boolean {
  try {
    storage?.setItem(PREFIX + parcel.uuid, JSON.stringify(parcel));
    return storage !== null;
  } catch {
    return false;
  }
}

/** All parcels of the storage; what cannot be read is thrown away. */
function readAll(storage: Storage | null): Kept[] {
  if (!storage) return [];
  const names = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  return names.flatMap((name) => {
    if (!name.startsWith(PREFIX) && !name.startsWith(OLD_PREFIX)) return [];
    const parcel = parsed(storage.getItem(name) ?? "");
    if (parcel && name.endsWith(`.${parcel.uuid}`)) return [parcel];
    storage.removeItem(name);
    return [];
  });
}

function parsed(text: string): Kept | null {
  try {
    const found = JSON.parse(text) as Kept | Vote | null;
    if (!found) return null;
    const parcel =
      "client_uuid" in found ? { ...parcelOf(found), order: Date.parse(found.answered_at) } : found;
    return parcel.kind !== "vote" || hasAnswer(parcel.vote) ? parcel : null;
  } catch {
    return null;
  }
}

/** Whether it answers a question or sorts a grid. */
function hasAnswer(vote: Vote): boolean {
  return Array.isArray(vote.path) || Array.isArray(vote.grid?.ticked);
}

// IndexedDB -----------------------------------------------------------------------------------
/** The browser's database; null where it is denied or does not answer. */
export async function browserStore(): Promise<Store | null> {
  const late = new Promise<null>((go) => setTimeout(() => go(null), LONGEST_OPENING_MS));
  const database = await Promise.race([attempt(opened()), late]);
  if (!database) return null;
  const parcels = (mode: IDBTransactionMode) =>
    database.transaction(PARCELS, mode).objectStore(PARCELS);
  return {
    all: async () => resultOf<Kept[]>(parcels("readonly").getAll()),
    put: async (parcel) => done(parcels("readwrite").put(parcel)),
    remove: async (uuid) => done(parcels("readwrite").delete(uuid)),
  };
}

async function opened(): Promise<IDBDatabase> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(PARCELS, { keyPath: "uuid" });
  return resultOf(opening);
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Waits until what was asked for is on the disk. */
function done(request: IDBRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const { transaction } = request;
    if (!transaction) return reject(request.error);
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

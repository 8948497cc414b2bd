/**
 * What is written and not on the server yet, kept in the browser (IndexedDB): it outlives the connection,
 * the session, the page and the browser's end.
 *
 * @module
 */
import * as v from "valibot";
import { Composition, SendOptions } from "../../api/mod.ts";
import { t } from "../../lib/text.ts";

const database = "mox-webmail";
const store = "written";

/** A message with text that is not on the server. */
const Written = v.object({
  key: v.string(),
  /** Account name: others who log in here don't see it. */
  account: v.string(),
  draftId: v.nullable(v.number()),
  composition: Composition,
  options: SendOptions,
  /** Files that aren't on the server. */
  files: v.array(v.object({ filename: v.string(), type: v.string(), blob: v.instance(Blob) })),
});
export type Written = v.InferOutput<typeof Written>;

let opening: Promise<IDBDatabase> | undefined;

function opened(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const r = indexedDB.open(database, 1);
    r.onupgradeneeded = () => r.result.createObjectStore(store, { keyPath: "key" });
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  });
  return opening;
}

async function run<T>(
  mode: IDBTransactionMode,
  what: (s: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const db = await opened();
  return new Promise((resolve, reject) => {
    const run = db.transaction(store, mode, { durability: "strict" });
    const r = what(run.objectStore(store));
    run.oncomplete = () => resolve(r.result);
    run.onabort = run.onerror = () =>
      reject(run.error ?? new Error(t("the browser keeps nothing")));
  });
}

/** Keeps a message; false where the browser has no place for it. */
export async function keepWritten(written: Written): Promise<boolean> {
  try {
    await run("readwrite", (s) => s.put(written));
    return true;
  } catch {
    return false;
  }
}

/** Forgets one that is on the server, or that nobody wants. */
export async function forgetWritten(key: string): Promise<void> {
  try {
    await run("readwrite", (s) => s.delete(key));
  } catch {
    // Nothing is kept there, then.
  }
}

/** What an account left; what another version of the page kept and doesn't fit is passed over. */
export async function writtenBy(account: string): Promise<Written[]> {
  try {
    const all: unknown[] = await run("readonly", (s) => s.getAll());
    return all.flatMap((w) => {
      const r = v.safeParse(Written, w);
      return r.success && r.output.account === account ? [r.output] : [];
    });
  } catch {
    return [];
  }
}

const lockName = (key: string) => `mox-written-${key}`;

/** Marks a message as open in this window, until the function that comes back is called. */
export function holdWritten(key: string): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  // On a page loaded without TLS there are no locks: then each window counts as the only one.
  navigator.locks?.request(lockName(key), { mode: "shared" }, () => held).catch(() => {});
  return release;
}

/** Keys of messages that some window has open. */
export async function heldWritten(): Promise<Set<string>> {
  const { held = [] } = await navigator.locks?.query() ?? {};
  return new Set(held.map((l) => (l.name ?? "").slice(lockName("").length)));
}

/**
 * A disk that forgets: replays a record of recorder.c, and gives the folder as it may be after the power went
 * at a moment. POSIX promises no more than this: a file's content is there once the file was synced, a
 * name once its folder was; of what came later any part may be there, in any order, cut within a write.
 *
 * @module
 */
import { join } from "node:path";

/** One recorded call. */
export interface Event {
  op: string;
  a: number;
  b: number;
  path: string;
  second: string;
  data: Uint8Array;
}

/** Reads what recorder.c wrote; paths get relative to the folder. */
export function readRecord(bytes: Uint8Array, root: string): Event[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const relative = (b: Uint8Array) => decoder.decode(b).slice(root.length + 1);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length;) {
    const op = String.fromCharCode(bytes[at]);
    const a = Number(view.getBigUint64(at + 1, true));
    const b = Number(view.getBigUint64(at + 9, true));
    const first = view.getUint32(at + 17, true);
    const second = view.getUint32(at + 21, true);
    at += 25;
    const data = bytes.subarray(at, at + first);
    const isWrite = op === "w";
    events.push({
      op,
      a,
      b,
      path: isWrite ? "" : relative(data),
      second: relative(bytes.subarray(at + first, at + first + second)),
      data: isWrite ? data : new Uint8Array(0),
    });
    at += first + second;
  }
  return events;
}

type Change = { kind: "write"; at: number; data: Uint8Array } | { kind: "cut"; size: number };

class File {
  synced = new Uint8Array(0);
  readonly pending: Change[] = [];

  sync(): void {
    this.synced = changed(this.synced, this.pending);
    this.pending.length = 0;
  }
}

function changed(content: Uint8Array, changes: readonly Change[]): Uint8Array<ArrayBuffer> {
  let size = content.length;
  let most = size;
  for (const c of changes) {
    size = c.kind === "cut" ? c.size : Math.max(size, c.at + c.data.length);
    most = Math.max(most, size);
  }
  const all = new Uint8Array(most);
  all.set(content);
  let now = content.length;
  for (const c of changes) {
    if (c.kind === "cut") {
      if (c.size < now) all.fill(0, c.size, now);
      now = c.size;
    } else {
      all.set(c.data, c.at);
      now = Math.max(now, c.at + c.data.length);
    }
  }
  return all.subarray(0, now);
}

class Folder {
  readonly now = new Map<string, File | Folder>();
  readonly synced = new Map<string, File | Folder>();
  readonly pending: { name: string; node: File | Folder | undefined }[] = [];

  set(name: string, node: File | Folder | undefined): void {
    put(this.now, name, node);
    this.pending.push({ name, node });
  }
  sync(): void {
    for (const { name, node } of this.pending) put(this.synced, name, node);
    this.pending.length = 0;
  }
}

function put(
  map: Map<string, File | Folder>,
  name: string,
  node: File | Folder | undefined,
): void {
  if (node) map.set(name, node);
  else map.delete(name);
}

/** Decides whether something that was not synced is there all the same; as a fraction for writes. */
export type Luck = () => boolean;

/** The folder, moved on event by event. */
export class ForgetfulDisk {
  readonly #root = new Folder();
  readonly #inodes = new Map<number, File>();

  #folder(path: string): { folder: Folder; name: string } {
    const parts = path.split("/");
    let folder = this.#root;
    for (const p of parts.slice(0, -1)) folder = folder.now.get(p) as Folder;
    return { folder, name: parts[parts.length - 1] };
  }
  #node(path: string): File | Folder | undefined {
    if (path === "") return this.#root;
    const { folder, name } = this.#folder(path);
    return folder.now.get(name);
  }
  #set(path: string, node: File | Folder | undefined): void {
    const { folder, name } = this.#folder(path);
    folder.set(name, node);
  }

  play(e: Event): void {
    switch (e.op) {
      case "c": {
        const file = new File();
        this.#inodes.set(e.a, file);
        this.#set(e.path, file);
        break;
      }
      case "w":
        this.#inodes.get(e.a)?.pending.push({ kind: "write", at: e.b, data: e.data });
        break;
      case "t":
        this.#inodes.get(e.a)?.pending.push({ kind: "cut", size: e.b });
        break;
      case "s":
        this.#inodes.get(e.a)?.sync();
        break;
      case "d":
        (this.#node(e.path) as Folder).sync();
        break;
      case "m":
        this.#set(e.path, new Folder());
        break;
      case "u":
        this.#set(e.path, undefined);
        break;
      case "l":
        this.#set(e.second, this.#node(e.path));
        break;
      case "r":
        this.#set(e.second, this.#node(e.path));
        this.#set(e.path, undefined);
        break;
      default:
        throw new Error(`unknown operation ${e.op}`);
    }
  }

  /** Writes the folder as it is after the cut. Without luck nothing is there but what was synced. */
  write(to: string, luck: Luck = () => false): void {
    const walk = (folder: Folder, path: string) => {
      Deno.mkdirSync(path, { recursive: true });
      const names = new Map(folder.synced);
      for (const { name, node } of folder.pending) if (luck()) put(names, name, node);
      for (const [name, node] of names) {
        // SQLite's shared memory is made anew at each start.
        if (name.endsWith("-shm") || name === "acks") continue;
        if (node instanceof Folder) walk(node, join(path, name));
        else {
          const kept = node.pending.filter(luck).map((c): Change =>
            // A write may be torn at a sector.
            c.kind === "write" && c.data.length > 512 && luck()
              ? { ...c, data: c.data.subarray(0, 512 * Math.floor(c.data.length / 1024)) }
              : c
          );
          Deno.writeFileSync(join(path, name), changed(node.synced, kept));
        }
      }
    };
    walk(this.#root, to);
  }
}

/**
 * A large JSON value on its way from a Worker: as pieces of text, each of which takes one or two milliseconds to
 * parse, with turns for others in between. A value that is passed as it is takes twice as long as its text takes to
 * parse, and all in one go.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";

/** Characters of text above which a container is divided. */
const pieceSize = 64 * 1024;

/** Members of a container. */
export interface JsonPiece {
  /** Number of the container; 0 is the whole value. */
  into: number;
  /** An object or array with some of the members; those that are divided themselves are null in it. */
  text: string;
  /** For the first piece of a container: the one that it is a member of, and its name or index there. */
  at?: { of: number; key: string | number };
}

type Container = Record<string, unknown> | unknown[];

const isContainer = (x: unknown): x is Container => typeof x === "object" && x !== null;

/** True for numbers that JSON text can be read as, but not written for. */
const isOdd = (x: unknown) => typeof x === "number" && (!Number.isFinite(x) || Object.is(x, -0));

/** The pieces of a value from JSON; undefined if it is small, or has numbers such as 1e400. */
export function piecesOf(value: unknown): JsonPiece[] | undefined {
  const sizes = new Map<Container, number>();
  let odd = false;
  const sizeOf = (x: unknown): number => {
    if (typeof x === "string") return x.length + 2;
    if (!isContainer(x)) {
      odd ||= isOdd(x);
      return 8;
    }
    const known = sizes.get(x);
    if (known !== undefined) return known;
    let size = 2;
    if (Array.isArray(x)) { for (const v of x) size += 1 + sizeOf(v); }
    else for (const [k, v] of Object.entries(x)) size += k.length + 4 + sizeOf(v);
    sizes.set(x, size);
    return size;
  };
  if (!isContainer(value) || sizeOf(value) <= pieceSize || odd) return undefined;

  const pieces: JsonPiece[] = [];
  const waiting: { container: Container; at?: JsonPiece["at"] }[] = [{ container: value }];
  // Containers before their members, so that each finds its place when it is put together.
  for (let id = 0; id < waiting.length; id++) {
    const { container, at } = waiting[id];
    const isArray = Array.isArray(container);
    let members: string[] = [];
    let size = 0;
    let first = true;
    const flush = () => {
      const text = isArray ? `[${members.join(",")}]` : `{${members.join(",")}}`;
      pieces.push(first ? { into: id, text, at } : { into: id, text });
      first = false;
      members = [];
      size = 0;
    };
    for (const [key, v] of isArray ? container.entries() : Object.entries(container)) {
      const divided = isContainer(v) && sizeOf(v) > pieceSize;
      if (divided) waiting.push({ container: v, at: { of: id, key } });
      const text = divided ? "null" : JSON.stringify(v);
      const member = isArray ? text : `${JSON.stringify(key)}:${text}`;
      if (size > 0 && size + member.length > pieceSize) flush();
      members.push(member);
      size += member.length;
    }
    if (first || members.length > 0) flush();
  }
  return pieces;
}

/** Puts a value together again, in turns. */
export async function joinedPieces(pieces: readonly JsonPiece[]): Promise<unknown> {
  const containers: Container[] = [];
  for (const { into, text, at } of pieces) {
    await giveWay();
    const part = JSON.parse(text) as Container;
    const container = containers[into];
    if (container === undefined) {
      containers[into] = part;
      // The name is there already, as null.
      if (at !== undefined) (containers[at.of] as Record<string | number, unknown>)[at.key] = part;
    } else if (Array.isArray(container)) {
      for (const v of part as unknown[]) container.push(v);
    } else {
      for (const [key, v] of Object.entries(part)) {
        if (key === "__proto__") {
          // Assigning it would change what kind of object it is.
          Object.defineProperty(container, key, {
            value: v,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        } else container[key] = v;
      }
    }
  }
  return containers[0];
}

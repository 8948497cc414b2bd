/**
 * A mailbox's `cyrus.index`: a header and a record of fixed size for each message, numbers with the highest
 * byte first. The fields read here have the same offsets from Cyrus 2.3 to 3.6 (versions 9 to 17 of the file).
 * A later version is accepted if they still fit: if its message sizes equal those of the files.
 *
 * @module
 */
import { giveWay } from "../../../platform/turns.ts";
import { Flag } from "../../types.ts";

/** The index data of a message. */
export interface CyrusRecord {
  /** Bytes of the message's file. */
  size: number;
  /** Milliseconds. */
  received: number;
  /** Bits of Flag. */
  flags: number;
  /** Numbers of keywords. */
  keywords: number[];
  /** Removed, though its file may still exist. */
  gone: boolean;
}

/** Supported versions of the file. */
const [firstVersion, lastVersion] = [9, 17];
/** End of the fields that are read from a record. */
const recordBytes = 52;
/** Records between two checks of the clock. */
const recordsPerLook = 2000;
/** 32-bit words with a message's keywords. */
const keywordWords = 4;

const systemFlags: readonly (readonly [bit: number, flag: number])[] = [
  [0, Flag.Answered],
  [1, Flag.Flagged],
  [2, Flag.Deleted],
  [3, Flag.Draft],
  [4, Flag.Seen],
];

/** Most messages whose sizes are compared. */
const maxCompared = 50;

/**
 * Whether records of a later version agree with the message files: with all that exist, and there must be some.
 */
async function agrees(
  records: ReadonlyMap<number, CyrusRecord>,
  sizeOf: (uid: number) => Promise<number | undefined>,
): Promise<boolean> {
  let compared = 0, last = 0;
  for (const [uid, r] of records) {
    if (uid <= last) return false;
    last = uid;
    if (r.gone || compared >= maxCompared) continue;
    const size = await sizeOf(uid);
    if (size === undefined) continue;
    if (size !== r.size) return false;
    compared++;
  }
  return compared > 0;
}

/**
 * The records by uid; or why they can't be read.
 * @param sizeOf bytes of a message's file; undefined if there is none
 */
export async function parseCyrusIndex(
  bytes: Uint8Array,
  sizeOf: (uid: number) => Promise<number | undefined> = () => Promise.resolve(undefined),
): Promise<Map<number, CyrusRecord> | string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) return "is damaged";
  const version = view.getUint32(8);
  const unknown =
    `has version ${version}; those from ${firstVersion} to ${lastVersion} can be read`;
  if (version < firstVersion) return unknown;
  const [start, size, count] = [view.getUint32(12), view.getUint32(16), view.getUint32(20)];
  if (start < 24 || size < recordBytes || start + size * count > bytes.length) {
    return version > lastVersion ? unknown : "is damaged";
  }
  const records = new Map<number, CyrusRecord>();
  for (let i = 0; i < count; i++) {
    if (i % recordsPerLook === 0) await giveWay();
    const at = start + i * size;
    const stored = view.getUint32(at + 32);
    const keywords: number[] = [];
    for (let word = 0; word < keywordWords; word++) {
      const bits = view.getUint32(at + 36 + word * 4);
      for (let bit = 0; bits !== 0 && bit < 32; bit++) {
        if (bits >>> bit & 1) keywords.push(word * 32 + bit);
      }
    }
    records.set(view.getUint32(at), {
      size: view.getUint32(at + 12),
      received: view.getUint32(at + 4) * 1000,
      flags: systemFlags.reduce((f, [bit, flag]) => stored >>> bit & 1 ? f | flag : f, 0),
      keywords,
      // "Expunged", and "unlinked": its file has been removed.
      gone: stored >>> 30 !== 0,
    });
  }
  return version <= lastVersion || await agrees(records, sizeOf) ? records : unknown;
}

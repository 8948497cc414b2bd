/**
 * Exports all address books and calendars of an account as files, and imports such files: one text (vCard or
 * iCalendar) for each, in a folder of its kind, with its owner's name for it.
 *
 * @module
 */
import { decodeText, FormatError } from "../mail/contentline/component.ts";
import { type Archive, ArchiveError } from "../store/import/archive/types.ts";
import type { ExportFile } from "../store/export/export.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { type Collection, GroupwareError } from "../store/groupware/types.ts";
import { calendarLooks, lookProperties, textElement } from "./collection_looks.ts";
import { exportCollection } from "./export.ts";
import { importText } from "./import.ts";

/** Most bytes of one unpacked file, which is read as a whole. */
const maxFile = 50 * 1024 * 1024;
/** Most files of one archive that are imported: as many as an account's collections. */
const maxFiles = 500;
/** Most lines about things left out. */
const maxListed = 100;

const kinds = {
  addressbook: { folder: "contacts", extension: ".vcf" },
  calendar: { folder: "calendars", extension: ".ics" },
} as const;
type Kind = keyof typeof kinds;

function collectionsOf(groupware: Groupware, kind: Kind): Collection[] {
  return groupware.collections(kind === "calendar" ? "calendars" : "addressbooks")
    .filter((c) => c.kind === kind);
}

/** A file name that every system accepts. */
function fileName(name: string): string {
  // deno-lint-ignore no-control-regex -- control characters are replaced
  const plain = name.replace(/[\\/:*?"<>|\x00-\x1f\x7f]/g, "_").trim().replace(/^\.+|\.+$/g, "_");
  return [...plain].slice(0, 100).join("") || "_";
}

/** A file for each address book and calendar. */
export function* collectionFiles(groupware: Groupware): Generator<ExportFile> {
  for (const kind of ["addressbook", "calendar"] as const) {
    const taken = new Set<string>();
    for (const c of collectionsOf(groupware, kind)) {
      const shown = calendarLooks(groupware, c).name;
      const base = fileName(shown);
      let name = base;
      for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${base} (${n})`;
      taken.add(name.toLowerCase());
      const { folder, extension } = kinds[kind];
      yield {
        name: `${folder}/${name}${extension}`,
        pieces: exportCollection(groupware, c, shown),
      };
    }
  }
}

/** The result of one file. */
export interface FileResult {
  kind: Kind;
  /** Name of the address book or calendar that it was imported to. */
  name: string;
  imported: number;
}

export interface TakeawayResult {
  files: FileResult[];
  /** What was left out and why, and the total number. */
  left: string[];
  leftOut: number;
}

/** The collection of a name. */
function collectionNamed(groupware: Groupware, kind: Kind, name: string): Collection | undefined {
  return collectionsOf(groupware, kind).find((collection) => {
    const shown = calendarLooks(groupware, collection).name;
    return shown === name || fileName(shown) === name;
  });
}

/** Creates a collection with a name. @throws GroupwareError "full" */
function makeCollection(groupware: Groupware, kind: Kind, name: string): Promise<Collection> {
  return groupware.createCollection(kind, crypto.randomUUID(), {
    components: kind === "calendar" ? ["VEVENT", "VTODO", "VJOURNAL"] : [],
    properties: new Map([[lookProperties.name, textElement(lookProperties.name, name)]]),
  });
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const p of pieces) {
    size += p.length;
    if (size > maxFile) return undefined;
    parts.push(new Uint8Array(p));
  }
  return decodeText(new Uint8Array(await new Blob(parts).arrayBuffer()));
}

/**
 * Imports the .ics and .vcf files of an archive, each into the calendar or address book of its name. Existing
 * objects with the same UID are replaced; nothing is removed, and nobody is invited. On disk when it resolves.
 * @throws ArchiveError for an unreadable archive; what was imported before that stays
 */
export async function importCollections(
  groupware: Groupware,
  archive: Archive,
): Promise<TakeawayResult> {
  const result: TakeawayResult = { files: [], left: [], leftOut: 0 };
  const leave = (line: string, n = 1) => {
    result.leftOut += n;
    if (result.left.length < maxListed) result.left.push(line);
  };
  for await (const entry of archive.entries()) {
    const file = entry.name.split("/").at(-1)!;
    const found = Object.entries(kinds).find(([, k]) => file.toLowerCase().endsWith(k.extension));
    // Macs add files that only Macs read.
    if (found === undefined || file.startsWith("._")) continue;
    if (result.files.length >= maxFiles) {
      throw new ArchiveError(`more than ${maxFiles} calendars and address books`);
    }
    const kind = found[0] as Kind;
    const name = file.slice(0, -kinds[kind].extension.length).trim().slice(0, 200) || "_";
    try {
      const text = await textOf(entry.pieces());
      if (text === undefined) {
        leave(`${entry.name}: larger than ${maxFile} bytes`);
        continue;
      }
      const there = collectionNamed(groupware, kind, name);
      const collection = there ?? await makeCollection(groupware, kind, name);
      const done = await importText(groupware, collection, text).catch(async (err) => {
        if (there === undefined) await groupware.removeCollection(collection.id);
        throw err;
      });
      result.files.push({ kind, name, imported: done.imported });
      for (const line of done.left) leave(`${entry.name}: ${line}`);
      result.leftOut += done.leftOut - done.left.length;
    } catch (err) {
      if (!(err instanceof FormatError || err instanceof GroupwareError)) throw err;
      leave(`${entry.name}: ${err.message}`);
    }
  }
  return result;
}

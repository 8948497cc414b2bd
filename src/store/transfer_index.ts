/**
 * The list of mailboxes stored with exported mail, so that an import here restores what file names and formats
 * can't hold: odd names, empty mailboxes, special uses, more keywords than a Maildir has letters for.
 *
 * @module
 */
import * as v from "valibot";
import { SpecialUse, specialUseNames } from "./types.ts";

/** Name of its file. */
export const indexName = "mox-export.json";
/** Most bytes of it that are read. */
export const maxIndex = 256 * 1024 * 1024;

const schema = v.object({
  version: v.literal(1),
  mailboxes: v.array(v.object({
    /** The mailbox file or Maildir, relative to the list's folder. */
    path: v.string(),
    name: v.string(),
    specialUse: v.optional(v.string()),
  })),
  /** Keywords of messages that a Maildir has no letters for, by the file's path without flags. */
  keywords: v.record(v.string(), v.array(v.string())),
});
export type TransferIndex = v.InferOutput<typeof schema>;

/** Parses the file's text; undefined if it is not a list. */
export function parseTransferIndex(text: string): TransferIndex | undefined {
  try {
    const r = v.safeParse(schema, JSON.parse(text));
    return r.success ? r.output : undefined;
  } catch {
    return undefined;
  }
}

/** IMAP's name of the first special use among the bits. */
export function specialUseName(bits: number): string | undefined {
  return specialUseNames.find(([bit]) => bits & bit)?.[1];
}

/** Bit of a special use; 0 for none. */
export function specialUseBit(name: string | undefined): number {
  return specialUseNames.find(([, n]) => n === name)?.[0] ?? 0;
}

/** Usual names of mailboxes with a special use. */
export const usualNames: Record<number, string> = {
  [SpecialUse.Archive]: "Archive",
  [SpecialUse.Drafts]: "Drafts",
  [SpecialUse.Junk]: "Junk",
  [SpecialUse.Sent]: "Sent",
  [SpecialUse.Trash]: "Trash",
};

/** Rows of collections and objects, and the etag of a content. @module */
import { createHash } from "node:crypto";
import type { Row } from "../database/database.ts";
import type { Collection, ObjectRow } from "./types.ts";

/** Columns of a collection and of an object, in the order in which {@link collectionOf} and {@link objectOf} read them. */
export const collectionColumns =
  "id, kind, home, name, components, modseq, createseq, created, propseq";
export const objectColumns =
  "id, collection_id, name, uid, component, size, etag, schedule_tag, modseq, createseq, created, modified, " +
  "first, last, recurring, summary, emails, search";

export function collectionOf(row: Row): Collection {
  return {
    id: row[0],
    kind: row[1],
    home: row[2],
    name: row[3],
    components: row[4] === "" ? [] : row[4].split(","),
    modseq: row[5],
    createseq: row[6],
    created: row[7],
    propseq: row[8],
  };
}

export function objectOf(row: Row): ObjectRow {
  return {
    id: row[0],
    collectionId: row[1],
    name: row[2],
    uid: row[3],
    component: row[4],
    size: row[5],
    etag: row[6],
    scheduleTag: row[7],
    modseq: row[8],
    createseq: row[9],
    created: row[10],
    modified: row[11],
    first: row[12],
    last: row[13],
    recurring: row[14] === 1,
    summary: row[15],
    emails: row[16] === "" ? [] : row[16].split("\n"),
    search: row[17],
  };
}

/** The etag of a content. */
export function etagOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 24);
}

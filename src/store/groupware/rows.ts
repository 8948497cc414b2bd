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

export function collectionOf(r: Row): Collection {
  return {
    id: r[0],
    kind: r[1],
    home: r[2],
    name: r[3],
    components: r[4] === "" ? [] : r[4].split(","),
    modseq: r[5],
    createseq: r[6],
    created: r[7],
    propseq: r[8],
  };
}

export function objectOf(r: Row): ObjectRow {
  return {
    id: r[0],
    collectionId: r[1],
    name: r[2],
    uid: r[3],
    component: r[4],
    size: r[5],
    etag: r[6],
    scheduleTag: r[7],
    modseq: r[8],
    createseq: r[9],
    created: r[10],
    modified: r[11],
    first: r[12],
    last: r[13],
    recurring: r[14] === 1,
    summary: r[15],
    emails: r[16] === "" ? [] : r[16].split("\n"),
    search: r[17],
  };
}

/** The etag of a content. */
export function etagOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 24);
}

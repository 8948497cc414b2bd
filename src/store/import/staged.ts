/**
 * Messages of an import that wait for its end: each has a file in the folder of temporary files, and a database
 * there has what is known about them. None of it belongs to the account: nobody sees it, and an aborted import
 * leaves nothing to undo. After a crash the next start of the server empties that folder.
 *
 * @module
 */
import { removeFile } from "../../platform/files.ts";
import { giveWay } from "../../platform/turns.ts";
import { Db, type Migration } from "../database/database.ts";
import { type EmailDescription, organizationalDomain } from "../messages/describe.ts";
import type { NewMessage } from "../types.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE staged (
  id INTEGER PRIMARY KEY,
  -- Number of the mailbox in the import.
  mailbox INTEGER NOT NULL,
  file TEXT NOT NULL,
  size INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  -- As JSON.
  keywords TEXT NOT NULL,
  -- Milliseconds.
  received INTEGER NOT NULL,
  -- By which copies are known.
  key TEXT NOT NULL,
  description TEXT NOT NULL
);
CREATE INDEX staged_order ON staged (mailbox, id);
CREATE INDEX staged_copies ON staged (mailbox, key, size, received);
`,
}];

/** A message without a prefix whose file is durable, described. */
export type StagedMessage = NewMessage & { description: EmailDescription; received: number };

const noPrefix = new Uint8Array(0);

/** The parts of a description that storing a message without a prefix needs. */
function packed(d: EmailDescription): string {
  const { envelope, body, bodyStructure, summary, threadSubject, isReply } = d;
  return JSON.stringify({
    envelope,
    body,
    bodyStructure,
    summary,
    threadSubject,
    isReply,
    structure: d.structure(0),
    listed: d.listed(noPrefix),
  });
}

function unpacked(text: string): EmailDescription {
  const { structure, listed, ...d } = JSON.parse(text);
  return {
    ...d,
    structure: () => structure,
    listed: () => listed,
    fields: [],
    organizationalDomain,
  };
}

/** Files removed in a row. */
const removedAtOnce = 100;

export class Staged {
  readonly #db: Db;
  /** Bytes and messages waiting. */
  bytes = 0;
  count = 0;

  private constructor(db: Db) {
    this.#db = db;
  }

  /** @param path of the database, in the folder of temporary files; the names of others begin with it */
  static async open(path: string): Promise<Staged> {
    const db = await Db.open(path, migrations);
    // After a crash it is worthless; it is written and read in order, and the system caches its pages.
    db.exec(
      "PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=1000; PRAGMA cache_size=-1024",
    );
    return new Staged(db);
  }

  /** Adds messages for mailboxes, given by their numbers. */
  add(list: readonly { mailbox: number; message: StagedMessage; key: string }[]): void {
    this.#db.transaction(() => {
      for (const { mailbox, message, key } of list) {
        this.#db.run(
          "INSERT INTO staged (mailbox, file, size, flags, keywords, received, key, description) " +
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          mailbox,
          message.file,
          message.fileSize,
          message.flags ?? 0,
          JSON.stringify(message.keywords ?? []),
          message.received,
          key,
          packed(message.description),
        );
        this.bytes += message.fileSize;
        this.count++;
      }
    });
  }

  /**
   * True if a message for a mailbox has the key and size. @param second the second of its arrival, if that must
   * match
   */
  has(mailbox: number, key: string, size: number, second: number | undefined): boolean {
    return this.#db.get(
      "SELECT 1 FROM staged WHERE mailbox = ? AND key = ? AND size = ? AND received >= ? AND received < ?",
      mailbox,
      key,
      size,
      second ?? Number.MIN_SAFE_INTEGER,
      second === undefined ? Number.MAX_SAFE_INTEGER : second + 1000,
    ) !== undefined;
  }

  /** Messages for a mailbox, in order of arrival. */
  *of(mailbox: number): Iterable<StagedMessage> {
    for (let after = 0;;) {
      const row = this.#db.get(
        "SELECT id, file, size, flags, keywords, received, description FROM staged " +
          "WHERE mailbox = ? AND id > ? ORDER BY id LIMIT 1",
        mailbox,
        after,
      );
      if (row === undefined) return;
      const [id, file, fileSize, flags, keywords, received, description] = row;
      after = id;
      yield {
        file,
        fileSynced: true,
        fileSize,
        prefix: noPrefix,
        description: unpacked(description),
        flags,
        keywords: JSON.parse(keywords),
        received,
        noTrain: true,
      };
    }
  }

  /**
   * Removes all of it, with the files; what can't be removed now is removed at the next start of the server.
   */
  async remove(): Promise<void> {
    const { path } = this.#db;
    try {
      for (let after = 0;;) {
        const rows = this.#db.all(
          "SELECT id, file FROM staged WHERE id > ? ORDER BY id LIMIT ?",
          after,
          removedAtOnce,
        );
        for (const [id, file] of rows) {
          removeFile(file);
          after = id;
        }
        if (rows.length < removedAtOnce) break;
        await giveWay();
      }
    } catch {
      // A failure here doesn't change the result of the import.
    }
    await this.#db.close().catch(() => {});
    for (const more of ["", "-wal", "-shm"]) {
      try {
        removeFile(`${path}${more}`);
      } catch {
        // As above.
      }
    }
  }
}

/**
 * Annotations of mailboxes and of the account itself (IMAP METADATA, RFC 5464).
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { nextModseq } from "./mailboxes.ts";
import { type Listener, StoreError } from "../types.ts";
import type { WriteContext, Writer } from "../database/writer.ts";

/** Most bytes of one value, and most entries of one mailbox. */
export const maxAnnotationBytes = 64 * 1024;
export const maxAnnotations = 1000;

export interface Annotation {
  /** Lower case, such as `/private/comment`. */
  key: string;
  value: Uint8Array;
}

export class Annotations {
  readonly #db: Db;
  readonly #writer: Writer;

  constructor(db: Db, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
  }

  /** All entries of a mailbox (0: of the account), by key. */
  list(mailboxId: MailboxId): Annotation[] {
    return this.#db.all(
      "SELECT key, value FROM annotations WHERE mailbox_id = ? ORDER BY key",
      mailboxId,
    ).map((r) => ({ key: r[0], value: r[1] }));
  }

  /**
   * Sets entries, or with null removes them. All or nothing.
   * @param also runs in the same transaction, before them
   * @throws StoreError "annotation", and what `also` throws
   */
  set(
    mailboxId: MailboxId,
    entries: readonly { key: string; value: Uint8Array | null }[],
    origin?: Listener,
    also?: (ctx: WriteContext) => void,
  ): Promise<void> {
    return this.#writer.write((ctx) => {
      also?.(ctx);
      const modseq = nextModseq(this.#db);
      for (const { key, value } of entries) {
        if (value === null) {
          this.#db.run(
            "DELETE FROM annotations WHERE mailbox_id = ? AND key = ?",
            mailboxId,
            key.toLowerCase(),
          );
        } else {
          if (value.length > maxAnnotationBytes) {
            throw new StoreError("annotation", `value is over ${maxAnnotationBytes} bytes`);
          }
          this.#db.run(
            "INSERT OR REPLACE INTO annotations (mailbox_id, key, value, modseq) VALUES (?, ?, ?, ?)",
            mailboxId,
            key.toLowerCase(),
            value,
            modseq,
          );
        }
        ctx.changes.push({ kind: "annotation", mailboxId, name: "", key, modseq });
      }
      const n = this.#db.get("SELECT count(*) FROM annotations WHERE mailbox_id = ?", mailboxId)!;
      if (n[0] > maxAnnotations) {
        throw new StoreError("annotation", `more than ${maxAnnotations} entries`);
      }
    }, origin);
  }
}

/**
 * \Recent of IMAP4rev1 (RFC 3501 §2.3.2): messages that no session was told of before. By mailbox it is known up to
 * which uid sessions were told; it is kept in `recent.json` in the account's folder when the account is closed. Where
 * that is lost, or was never written, messages are recent once more, as the RFC wants it.
 *
 * @module
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../platform/files.ts";
import type { MailboxId } from "../ids.ts";

/** Bytes of the file that are read: more than any account has mailboxes for. */
const maxFile = 16 * 1024 * 1024;

export class RecentMarks {
  readonly #path: string;
  #marks: Map<number, number> | undefined;
  #changed = false;

  /** @param dir the account's folder */
  constructor(dir: string) {
    this.#path = join(dir, "recent.json");
  }

  #read(): Map<number, number> {
    if (this.#marks) return this.#marks;
    this.#marks = new Map();
    try {
      if (Deno.statSync(this.#path).size > maxFile) return this.#marks;
      const kept: unknown = JSON.parse(Deno.readTextFileSync(this.#path));
      for (const [id, from] of Object.entries(kept ?? {})) {
        if (Number.isInteger(from) && from > 0) this.#marks.set(Number(id), from);
      }
    } catch {
      // Not there, or damaged: nothing is known.
    }
    return this.#marks;
  }

  /** Messages of a mailbox from this uid on are recent to the next session. */
  from(mailboxId: MailboxId): number {
    return this.#read().get(mailboxId) ?? 1;
  }

  /** A session was told of all messages of a mailbox below this uid. */
  told(mailboxId: MailboxId, below: number): void {
    if (below <= this.from(mailboxId)) return;
    this.#read().set(mailboxId, below);
    this.#changed = true;
  }

  /** Writes down what has changed. @param exists false for mailboxes that are gone */
  async save(exists: (mailboxId: number) => boolean): Promise<void> {
    if (!this.#changed) return;
    const kept = [...this.#read()].filter(([id]) => exists(id));
    await writeFileAtomic(
      this.#path,
      new TextEncoder().encode(JSON.stringify(Object.fromEntries(kept))),
    );
    this.#changed = false;
  }
}

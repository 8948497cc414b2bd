/**
 * \Recent of IMAP4rev1 (RFC 3501 §2.3.2): messages that no session has seen before. For each mailbox the uid up
 * to which sessions have seen messages is known; it is stored in `recent.json` in the account's folder when the
 * account is closed. If that is lost or was never written, messages are recent again, as the RFC requires.
 *
 * @module
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../platform/files.ts";
import type { MailboxId } from "../ids.ts";

/** Most bytes of the file: more than the mailboxes of any account need. */
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
      // Missing or damaged: nothing is known.
    }
    return this.#marks;
  }

  /** Messages of a mailbox from this uid on are recent to the next session. */
  from(mailboxId: MailboxId): number {
    return this.#read().get(mailboxId) ?? 1;
  }

  /** A session has seen all messages of a mailbox below this uid. */
  told(mailboxId: MailboxId, below: number): void {
    if (below <= this.from(mailboxId)) return;
    this.#read().set(mailboxId, below);
    this.#changed = true;
  }

  /** Writes changes to the file. @param exists false for mailboxes that are gone */
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

/**
 * Messages on their way from the page to the queue, such that each is sent once, whatever is cut off where.
 *
 * The steps of a message that is sent, each durable before the next: it is noted here what is sent; the copy
 * is in Sent; the queue has it, and in the same transaction its key (queue/submission_keys.ts); the draft is
 * removed and marks are set; the note goes. A start that finds a note knows by the queue's keys whether the
 * message was taken: if so it does the rest, else it hands over the copy. Who sends the same message again
 * meets the note too: what the queue has is finished and not sent again, what it doesn't have is called off.
 *
 * A program's message (web API) goes the same way under a key that the server makes. The program learns by its
 * answer that it was sent, and sends again what it had no answer for: a start calls off what the queue doesn't have.
 *
 * @module
 */
import type { Log } from "../../../log/mod.ts";
import { removeFile, writeTempFile } from "../../../platform/files.ts";
import type { Account } from "../../../store/account/account.ts";
import { listedThread } from "../../../store/messages/listing.ts";
import { Flag, type Mailbox, type Message } from "../../../store/types.ts";
import { HttpError } from "../../http/mod.ts";
import { mailboxForUse, moveMessages } from "../list/actions.ts";
import { maxThread } from "../list/items.ts";
import type { UndoLog } from "../list/undo.ts";
import { inMail } from "../others/mail.ts";
import { openContent, rawPieces } from "../reading/content.ts";
import type { ScheduledRows, Sending, SendingDetails } from "./rows.ts";
import type { WebmailServices } from "../services.ts";
import type { ComposeContext } from "./compose.ts";
import { keptCopy, programsCopy, removeDraft, removeMessage } from "./copy.ts";
import { keyOf, oneAfterTheOther, openDraft, putDraft } from "./drafts.ts";

/** Milliseconds between attempts that failed for a reason that may pass. */
const retryAfter = 60_000;
/** Attempts that there are. */
const maxAttempts = 30;

/** What it needs. */
export interface UnfinishedOptions {
  services: WebmailServices;
  rows: ScheduledRows;
  undo: UndoLog;
  compose: (account: Account) => ComposeContext;
  log: Log;
  /** A message could not be sent, and is a draft again. */
  onFailed: (account: string, draftId: number, subject: string, why: string) => void;
  /** It was sent. */
  onSent: (account: string) => void;
}

/** Hands over a program's message of which a copy is kept. */
export type SendWithCopy = <T>(account: Account, what: {
  /** Without <>. */
  messageId: string;
  /** Where the copy is to be. */
  mailbox: Mailbox;
  keep: () => Promise<void>;
  submit: (key: string) => Promise<T>;
}) => Promise<T>;

/** Of a program's message there is nothing to do afterwards. */
const nothingElse: SendingDetails = {
  mailFrom: "",
  recipients: [],
  smtputf8: false,
  has8bit: false,
  requireTls: null,
  subject: "",
  draftId: null,
  inReplyTo: null,
  forwards: [],
  archiveThread: false,
};

export class Unfinished {
  readonly #o: UnfinishedOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: UnfinishedOptions) {
    this.#o = options;
  }

  /** Finishes what was cut off. Resolves when all was tried. */
  start(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#running = this.#running.then(() => this.#run()).catch((err) => {
      this.#o.log.error("finishing messages that were being sent", { err: err as Error });
      this.#later();
    });
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => void this.start(), retryAfter);
  }

  async #run(): Promise<void> {
    const { rows, services, log } = this.#o;
    for (const { account: name, messageId } of rows.allSending()) {
      if (this.#closed) return;
      try {
        if (services.config.account(name) === undefined) {
          await rows.end(name, messageId);
          continue;
        }
        const account = await services.accounts.open(name);
        try {
          await oneAfterTheOther(account, messageId, () => this.settle(account, messageId));
        } finally {
          account.close();
        }
      } catch (err) {
        log.error("finishing a message that was being sent", { account: name, err: err as Error });
        this.#later();
      }
    }
  }

  /** Notes that a message is about to be handed over; durable when it resolves. */
  begin(account: string, messageId: string, details: SendingDetails): Promise<void> {
    return this.#o.rows.begin({ account, messageId, details });
  }

  /**
   * Brings a message that was cut off to its end, if it is one; no other must work on the message meanwhile.
   * @param again it is about to be sent again: what the queue doesn't have is called off
   * @throws what keeps it from that, for a time
   */
  async settle(account: Account, messageId: string, again = false): Promise<void> {
    const row = this.#o.rows.sending(account.name, messageId);
    if (row === undefined) return;
    const copy = copyOf(account, row);
    if (!this.#o.services.wasSubmitted(account.name, messageId)) {
      if (row.calledOff || again || copy === undefined || row.details.copy !== undefined) {
        return await this.callOff(account, messageId);
      }
      if (!await this.#handOver(account, row, copy)) return;
    }
    await this.finish(account, row);
    this.#o.onSent(account.name);
  }

  /** Whether a message was sent, also where that was cut off; as `settle` otherwise. */
  async wasSent(account: Account, messageId: string): Promise<boolean> {
    await this.settle(account, messageId);
    return this.#o.services.wasSubmitted(account.name, messageId);
  }

  /** Hands the copy to the queue; false if it was refused, and is a draft again. */
  async #handOver(account: Account, row: Sending, copy: Message): Promise<boolean> {
    const { services, rows, log } = this.#o;
    try {
      await this.#submit(account, row, copy);
      return true;
    } catch (err) {
      log.error("sending a message that was cut off", { account: account.name, err: err as Error });
      if (services.wasSubmitted(account.name, row.messageId)) return true;
      const refused = err instanceof HttpError;
      if (!refused && row.failures < maxAttempts) {
        rows.failed(account.name, row.messageId);
        throw err;
      }
      const why = refused ? err.message : "an error of the server, which its log tells";
      await this.#toDraft(account, row, copy, why);
      return false;
    }
  }

  async #submit(account: Account, row: Sending, copy: Message): Promise<void> {
    const { services, compose } = this.#o;
    const content = openContent(account, copy.id);
    let file: { path: string; size: number };
    try {
      // Before the message stands whom it went to in secret.
      const pieces = rawPieces(content, content.prefix.length, content.reader.size);
      file = await writeTempFile(compose(account).tempDir, "again-", pieces);
    } finally {
      content.close();
    }
    try {
      const { mailFrom, recipients, smtputf8, has8bit, requireTls, subject } = row.details;
      await services.submit({
        account: account.name,
        mailFrom,
        recipients,
        file: file.path,
        fileSize: file.size,
        smtputf8,
        has8bit,
        requireTls: requireTls ?? undefined,
        notBefore: undefined,
        messageId: row.messageId,
        subject,
      });
    } finally {
      removeFile(file.path);
    }
  }

  async #toDraft(account: Account, row: Sending, copy: Message, why: string): Promise<void> {
    const { details, messageId } = row;
    const { composition } = await openDraft(account, copy.id);
    const { inReplyTo, forwards, requireTls, draftId: before } = details;
    const { draftId } = await putDraft(
      this.#o.compose(account),
      before,
      { ...composition, inReplyTo, forwards },
      { key: keyOf(messageId), options: { sendAt: null, requireTls }, failure: why },
    );
    await this.callOff(account, messageId);
    this.#o.onFailed(account.name, draftId, details.subject, why);
  }

  /** What was refused: the copy goes, and the note. */
  async callOff(account: Account, messageId: string): Promise<void> {
    const { rows } = this.#o;
    const row = rows.sending(account.name, messageId);
    // A copy without this note would be taken for one of a message that was sent.
    await rows.callOff(account.name, messageId);
    const copy = row && copyOf(account, row);
    if (copy !== undefined) await removeMessage(account, copy);
    await rows.end(account.name, messageId);
  }

  /**
   * Hands over a program's message of which a copy is to be in a mailbox: both, or neither, wherever the end of
   * the process cuts it off.
   * @param keep puts the copy there
   * @param submit hands it to the queue, under a key: of several submissions the first has it
   * @throws what these throw; the copy stays if the queue has the message
   */
  sendWithCopy: SendWithCopy = (account, { messageId, mailbox, keep, submit }) => {
    const { rows, services, log } = this.#o;
    const key = crypto.randomUUID();
    const run = async () => {
      const { uidNext } = account.mailbox(mailbox.id) ?? mailbox;
      const copy = { messageId, mailboxId: mailbox.id, fromUid: uidNext };
      await this.begin(account.name, key, { ...nothingElse, copy });
      try {
        await keep();
        return await submit(key);
      } finally {
        await (services.wasSubmitted(account.name, key)
          ? rows.end(account.name, key)
          : this.callOff(account, key)).catch((err) => {
            // The queue has it or not, and that is what the program is to know. The rest is done later.
            log.error("after sending a message", { what: "its copy", err: err as Error });
            this.#later();
          });
      }
    };
    // By its Message-ID too: copies of messages that have the same aren't mixed up.
    return oneAfterTheOther(account, messageId, () => oneAfterTheOther(account, key, run));
  };

  /** Does the rest for a message that the queue has. @returns what failed, in words; it is tried again */
  async finish(
    account: Account,
    sending: Pick<Sending, "messageId" | "details" | "failures">,
  ): Promise<string[]> {
    const { rows, log } = this.#o;
    const { messageId, details } = sending;
    const warnings: string[] = [];
    const attempt = async (what: string, fn: () => Promise<void>): Promise<void> => {
      try {
        await fn();
      } catch (err) {
        // The message is on its way: what failed after it must not look as if it weren't.
        log.error("after sending a message", { what, err: err as Error });
        warnings.push(`The message was sent, but ${what} failed.`);
      }
    };
    if (details.draftId !== null) {
      await attempt("removing the draft", () => removeDraft(account, details.draftId!));
    }
    await attempt(
      "marking the message as answered",
      () => markAnswered(this.#o.services, account, details),
    );
    if (details.archiveThread && details.inReplyTo !== null) {
      await attempt(
        "moving to the archive",
        () => archiveThread(account, details.inReplyTo!, this.#o.undo),
      );
    }
    if (warnings.length === 0 || sending.failures >= maxAttempts) {
      await attempt("noting that", () => rows.end(account.name, messageId));
    } else {
      rows.failed(account.name, messageId);
      this.#later();
    }
    return warnings;
  }

  /** Stops; what is being finished is. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}

const copyOf = (account: Account, { messageId, details }: Sending) =>
  details.copy === undefined ? keptCopy(account, messageId) : programsCopy(account, details.copy);

/** Marks what was answered and forwarded; of other accounts where the user may. */
async function markAnswered(
  services: WebmailServices,
  user: Account,
  of: Pick<SendingDetails, "inReplyTo" | "forwards">,
): Promise<void> {
  const mark = async (pageId: number, flag: number) => {
    try {
      await inMail(services, user, pageId, "message", async (mail, id) => {
        const m = mail.account.message(id);
        if (m === undefined || m.flags & flag || !mail.rights(m.mailboxId).includes("w")) return;
        await mail.account.storeFlags(m.mailboxId, [m.uid], "add", flag, []);
      });
    } catch (err) {
      // Shared no more.
      if (!(err instanceof HttpError && err.status === 404)) throw err;
    }
  };
  if (of.inReplyTo !== null) await mark(of.inReplyTo, Flag.Answered);
  for (const id of of.forwards) await mark(id, Flag.Forwarded);
}

/** Moves the messages of a thread that are in the mailbox of the one answered. */
async function archiveThread(account: Account, id: number, undo: UndoLog): Promise<void> {
  const answered = account.message(id);
  if (answered === undefined) return;
  const archive = await mailboxForUse(account, "archive");
  if (answered.mailboxId === archive.id) return;
  const uids = listedThread(account.db, answered.threadId, maxThread)
    .filter((m) => m.mailboxId === answered.mailboxId).map((m) => m.uid);
  await moveMessages(
    account,
    new Map([[answered.mailboxId, Uint32Array.from(uids).sort()]]),
    archive,
    undo,
  );
}

/**
 * All-or-nothing changes made of many writes: COPY of thousands of messages, an import. Their additions so far
 * are noted in the same writes; what a crash left unfinished is removed when the account is opened again, in
 * slices, so that others are served meanwhile.
 *
 * @module
 */
import { asMailboxId, type MailboxId } from "../ids.ts";
import { giveWay } from "../../platform/turns.ts";
import { describeFile, descriptionSize } from "./describe.ts";
import type { Db } from "../database/database.ts";
import type { Writer } from "../database/writer.ts";
import type { Listener, Mailbox, Message, NewMessage } from "../types.ts";

/** What is needed from an account. */
interface Account {
  readonly db: Db;
  readonly writer: Writer;
  mailbox(id: number): Mailbox | undefined;
  mailboxByName(name: string): Mailbox | undefined;
  mailboxes(): Mailbox[];
  uids(mailboxId: MailboxId): ArrayLike<number>;
  append(
    mailboxId: MailboxId,
    list: readonly NewMessage[],
    origin: Listener | undefined,
    change: string | undefined,
  ): Promise<Message[]>;
  expunge(
    mailboxId: MailboxId,
    uids: ArrayLike<number>,
    origin: Listener | undefined,
    opts: { force: boolean },
  ): Promise<unknown>;
  deleteMailbox(name: string): Promise<void>;
}

/** Additions of one change: uid ranges by mailbox, and the mailboxes created for it. */
interface Brought {
  uids: Record<string, [number, number][]>;
  made: string[];
}

/** Name of the account setting. */
const setting = "unfinished";

/** Prefix of changes whose parts stay if they can't be finished. */
export const keptInParts = "in parts ";

type All = Record<string, Brought>;

function read(db: Db): { settings: Record<string, unknown>; all: All } {
  const settings = JSON.parse(db.get("SELECT settings FROM state")![0]) as Record<string, unknown>;
  return { settings, all: (settings[setting] ?? {}) as All };
}

function write(db: Db, settings: Record<string, unknown>, all: All): void {
  if (Object.keys(all).length === 0) delete settings[setting];
  else settings[setting] = all;
  db.run("UPDATE state SET settings = ?", JSON.stringify(settings));
}

/** Notes messages that a change has added to a mailbox. Runs inside the write that adds them. */
export function noteBrought(
  db: Db,
  change: string,
  mailboxId: MailboxId,
  uids: readonly number[],
): void {
  const { settings, all } = read(db);
  const ranges = (all[change] ??= { uids: {}, made: [] }).uids[mailboxId] ??= [];
  for (const uid of uids) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === uid) last[1] = uid;
    else ranges.push([uid, uid]);
  }
  write(db, settings, all);
}

/** Notes mailboxes created for a change. Runs inside a write. */
export function noteMade(db: Db, change: string, names: readonly string[]): void {
  const { settings, all } = read(db);
  (all[change] ??= { uids: {}, made: [] }).made.push(...names);
  write(db, settings, all);
}

/**
 * The change is complete, or undone. Runs inside a write, which is durable before the change is reported as
 * done.
 */
export function forgetBrought(db: Db, change: string): void {
  const { settings, all } = read(db);
  if (!(change in all)) return;
  delete all[change];
  write(db, settings, all);
}

/**
 * Undoes the additions of a change: its messages, the recipients remembered from them, and empty mailboxes
 * created for it.
 * @throws as writes of the account do; the rest stays noted then
 */
export async function takeBack(
  account: Account,
  change: string,
  origin?: Listener,
): Promise<void> {
  const { db, writer } = account;
  const brought = read(db).all[change];
  if (brought === undefined) return;
  for (const [id, ranges] of Object.entries(brought.uids)) {
    const mailboxId = asMailboxId(Number(id));
    for (const [first, last] of ranges) {
      await writer.write(() =>
        db.run(
          "DELETE FROM recipients WHERE message_id IN " +
            "(SELECT id FROM messages WHERE mailbox_id = ? AND uid BETWEEN ? AND ?)",
          mailboxId,
          first,
          last,
        )
      );
      // A mailbox that was deleted meanwhile took its messages with it.
      if (!account.mailbox(mailboxId)) break;
      const uids = Uint32Array.from({ length: last - first + 1 }, (_, i) => first + i);
      await account.expunge(mailboxId, uids, origin, { force: true });
    }
  }
  // Lower levels first.
  for (const name of brought.made.sort((a, b) => b.length - a.length)) {
    const mailbox = account.mailboxByName(name);
    if (mailbox === undefined || account.uids(mailbox.id).length > 0) continue;
    const below = account.mailboxes().some((m) => m.name.startsWith(`${name}/`));
    if (!below) await account.deleteMailbox(name);
  }
  await writer.write(() => forgetBrought(db, change));
}

/** Undoes all changes that were unfinished when the account was last in use; returns how many. */
export async function takeBackUnfinished(account: Account): Promise<number> {
  const { db, writer } = account;
  let taken = 0;
  for (const change of Object.keys(read(db).all)) {
    if (change.startsWith(keptInParts)) await writer.write(() => forgetBrought(db, change));
    else {
      await takeBack(account, change);
      taken++;
    }
  }
  return taken;
}

/**
 * Messages per write of {@link appendAll}, and characters of their descriptions: each may have thousands of
 * parts.
 */
const perWrite = 100;
const describedPerWrite = 1024 * 1024;

/**
 * APPEND of any number of messages, all or nothing; returns their uids. Uses several writes where one would
 * hold up others. Durable when it resolves. @throws StoreError
 */
export async function appendAll(
  account: Account,
  mailboxId: MailboxId,
  list: readonly NewMessage[],
): Promise<number[]> {
  // A single message is described when it is put in place.
  if (list.length === 1) {
    return (await account.append(mailboxId, list, undefined, undefined)).map((m) => m.uid);
  }
  const uids: number[] = [];
  let change: string | undefined;
  let part: NewMessage[] = [];
  let described = 0;
  const write = async () => {
    for (const m of await account.append(mailboxId, part, undefined, change)) uids.push(m.uid);
    part = [];
    described = 0;
    await giveWay();
  };
  try {
    for (const m of list) {
      if (part.length >= perWrite || described >= describedPerWrite) {
        change ??= `append ${crypto.randomUUID()}`;
        await write();
      }
      const description = m.description ?? await describeFile(m.file);
      described += descriptionSize(description);
      part.push({ ...m, description });
    }
    await write();
    if (change !== undefined) {
      const whole = change;
      await account.writer.write(() => forgetBrought(account.db, whole));
    }
    return uids;
  } catch (err) {
    if (change !== undefined) await takeBack(account, change);
    throw err;
  }
}

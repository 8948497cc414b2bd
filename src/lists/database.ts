/**
 * Members of mailing lists, messages to them, and requests that wait: `lists.db` in the data folder. The messages
 * themselves are files in the folder `lists` beside it.
 *
 * Crash safety. A message is a durable file before its row, and the row is durable before its sender hears 250. Sending goes
 * member by member: the queue has a message, then `cursor` moves in the same turn of the loop. After a crash in between the
 * queue still has that message, and is asked. The cursor must not be durable before what the queue has: so
 * {@link ListsDatabase.durable} waits for what is on its way there.
 *
 * @module
 */
import { join } from "node:path";
import { Db, type Migration, type Row } from "../store/database/database.ts";
import { ensureDir } from "../platform/files.ts";
import { MessageFiles } from "../store/files/message_files.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE members (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  address TEXT NOT NULL,
  -- The address for comparing.
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  added INTEGER NOT NULL,
  -- Days on which messages came back since the last one that didn't.
  bounces INTEGER NOT NULL DEFAULT 0,
  last_bounce INTEGER NOT NULL DEFAULT 0,
  bounce_text TEXT NOT NULL DEFAULT '',
  -- When the address is given up, if what was sent to try it comes back, or taken up again: 0 if it isn't tried.
  probe_until INTEGER NOT NULL DEFAULT 0,
  -- It gets nothing any more, as the probe came back.
  dead INTEGER NOT NULL DEFAULT 0,
  UNIQUE (list, key)
);
CREATE INDEX members_order ON members (list, id);
CREATE INDEX members_probed ON members (probe_until) WHERE probe_until > 0;
CREATE TABLE posts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  message_id TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  received INTEGER NOT NULL,
  size INTEGER NOT NULL,
  -- Whether our signature says no more than is known (onward/vouch.ts).
  vouched INTEGER NOT NULL,
  smtputf8 INTEGER NOT NULL,
  has8bit INTEGER NOT NULL,
  binary_mime INTEGER NOT NULL,
  require_tls INTEGER NOT NULL,
  -- The ARC set that it was sealed with, the same for all members.
  arc TEXT NOT NULL,
  -- held, sending, sent
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- The last member that it was queued for, and the last that there was when it was taken.
  cursor INTEGER NOT NULL DEFAULT 0,
  last_member INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX posts_list ON posts (list, state, id);
CREATE INDEX posts_message ON posts (list, message_id);
CREATE INDEX posts_state ON posts (state, id) WHERE state != 'sent';
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  address TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  -- subscribe, unsubscribe, read
  kind TEXT NOT NULL,
  -- confirm: by who it is about; approve: by an owner
  state TEXT NOT NULL,
  submitted INTEGER NOT NULL,
  UNIQUE (list, key, kind)
);
-- Mail that was written because of mail or a form.
CREATE TABLE answers (list TEXT NOT NULL, key TEXT NOT NULL, submitted INTEGER NOT NULL);
CREATE INDEX answers_key ON answers (list, key, submitted);
CREATE INDEX answers_time ON answers (submitted);
`,
}];

export interface Member {
  id: number;
  list: string;
  address: string;
  name: string;
  added: number;
  bounces: number;
  bounceText: string;
  probeUntil: number;
  dead: boolean;
}
const memberColumns = "id, list, address, name, added, bounces, bounce_text, probe_until, dead";
const memberOf = (r: Row): Member => ({
  id: r[0],
  list: r[1],
  address: r[2],
  name: r[3],
  added: r[4],
  bounces: r[5],
  bounceText: r[6],
  probeUntil: r[7],
  dead: r[8] === 1,
});

export type PostState = "held" | "sending" | "sent";

export interface Post {
  id: number;
  list: string;
  /** Without brackets. */
  messageId: string;
  inReplyTo: string;
  author: string;
  authorName: string;
  subject: string;
  received: number;
  size: number;
  vouched: boolean;
  smtputf8: boolean;
  has8bit: boolean;
  binary: boolean;
  requireTls: boolean;
  arc: string;
  state: PostState;
  reason: string;
  cursor: number;
  lastMember: number;
}
const postColumns =
  "id, list, message_id, in_reply_to, author, author_name, subject, received, size, vouched, " +
  "smtputf8, has8bit, state, reason, cursor, last_member, binary_mime, require_tls, arc";
const postOf = (r: Row): Post => ({
  id: r[0],
  list: r[1],
  messageId: r[2],
  inReplyTo: r[3],
  author: r[4],
  authorName: r[5],
  subject: r[6],
  received: r[7],
  size: r[8],
  vouched: r[9] === 1,
  smtputf8: r[10] === 1,
  has8bit: r[11] === 1,
  state: r[12],
  reason: r[13],
  cursor: r[14],
  lastMember: r[15],
  binary: r[16] === 1,
  requireTls: r[17] === 1,
  arc: r[18],
});

export type RequestKind = "subscribe" | "unsubscribe" | "read";

export interface Request {
  id: number;
  list: string;
  address: string;
  name: string;
  kind: RequestKind;
  state: "confirm" | "approve";
  submitted: number;
}
const requestColumns = "id, list, address, name, kind, state, submitted";
const requestOf = (r: Row): Request => ({
  id: r[0],
  list: r[1],
  address: r[2],
  name: r[3],
  kind: r[4],
  state: r[5],
  submitted: r[6],
});

/** Milliseconds that a request waits to be confirmed. */
export const requestTime = 7 * 86_400_000;
const day = 86_400_000;
/** Rows of members that are read or written at a time. */
export const maxSlice = 200;

/** An address for comparing: of others' localparts case may count, but hardly ever does. */
export function addressKeyOf(address: string): string {
  return address.normalize("NFC").toLowerCase();
}

export class ListsDatabase {
  readonly #db: Db;
  readonly files: MessageFiles;
  #nextFile: number;
  /** What the queue is about to have. */
  #queueing: Promise<unknown> | undefined;

  private constructor(db: Db, files: MessageFiles) {
    this.#db = db;
    this.files = files;
    this.#nextFile = 1 + (db.get("SELECT seq FROM sqlite_sequence WHERE name = 'posts'")?.[0] ?? 0);
  }

  /** Opens it, and removes files that a crash left without a row. */
  static async open(dataDir: string): Promise<ListsDatabase> {
    const dir = join(dataDir, "lists");
    await ensureDir(dir);
    const db = await Db.open(join(dataDir, "lists.db"), migrations);
    const lists = new ListsDatabase(db, new MessageFiles(dir));
    for (const id of lists.files.recent(lists.#nextFile)) {
      if (!db.get("SELECT 1 FROM posts WHERE id = ?", id)) lists.files.remove(id);
    }
    return lists;
  }

  /** While it is on its way nothing of it is made durable here before it is there. */
  async queueing<T>(adding: Promise<T>): Promise<T> {
    this.#queueing = adding.catch(() => {});
    try {
      return await adding;
    } finally {
      this.#queueing = undefined;
    }
  }

  /** All that was written is on disk when it resolves. */
  async durable(): Promise<void> {
    await this.#queueing;
    await this.#db.durable();
  }

  // Members

  memberCount(list: string): number {
    return this.#db.get("SELECT count(*) FROM members WHERE list = ?", list)![0];
  }

  member(list: string, address: string): Member | undefined {
    const r = this.#db.get(
      `SELECT ${memberColumns} FROM members WHERE list = ? AND key = ?`,
      list,
      addressKeyOf(address),
    );
    return r && memberOf(r);
  }

  memberById(list: string, id: number): Member | undefined {
    const r = this.#db.get(
      `SELECT ${memberColumns} FROM members WHERE list = ? AND id = ?`,
      list,
      id,
    );
    return r && memberOf(r);
  }

  /** Members with higher ids, in the order of ids. */
  members(list: string, after: number, limit: number): Member[] {
    return this.#db.all(
      `SELECT ${memberColumns} FROM members WHERE list = ? AND id > ? ORDER BY id LIMIT ?`,
      list,
      after,
      limit,
    ).map(memberOf);
  }

  /** Adds them; returns how many were none yet. One transaction: give at most {@link maxSlice}. */
  addMembers(
    list: string,
    members: readonly { address: string; name: string }[],
    now: number,
  ): number {
    return this.#db.transaction(() => {
      let added = 0;
      for (const m of members) {
        added += this.#db.run(
          "INSERT INTO members (list, address, key, name, added) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          list,
          m.address,
          addressKeyOf(m.address),
          m.name,
          now,
        ).changes;
        this.#db.run(
          "DELETE FROM requests WHERE list = ? AND key = ? AND kind = 'subscribe'",
          list,
          addressKeyOf(m.address),
        );
      }
      return added;
    });
  }

  removeMember(list: string, address: string): boolean {
    return this.#db.run(
      "DELETE FROM members WHERE list = ? AND key = ?",
      list,
      addressKeyOf(address),
    ).changes > 0;
  }

  /** Counts a message that came back, once a day. Returns the member as it is then. */
  noteBounce(list: string, id: number, text: string, now: number): Member | undefined {
    const today = Math.floor(now / day);
    this.#db.run(
      "UPDATE members SET bounces = CASE WHEN last_bounce < ?1 - 14 THEN 1 ELSE bounces + 1 END, " +
        "last_bounce = ?1, bounce_text = ?2 WHERE list = ?3 AND id = ?4 AND last_bounce < ?1",
      today,
      text.slice(0, 500),
      list,
      id,
    );
    return this.memberById(list, id);
  }

  setProbe(list: string, id: number, until: number): void {
    this.#db.run("UPDATE members SET probe_until = ? WHERE list = ? AND id = ?", until, list, id);
  }

  /** It gets nothing any more. */
  giveUp(list: string, id: number): void {
    this.#db.run(
      "UPDATE members SET dead = 1, probe_until = 0 WHERE list = ? AND id = ?",
      list,
      id,
    );
  }

  /** Members whose probes have not come back are taken up again; those that gave up long ago stay. */
  endProbes(now: number): void {
    this.#db.run(
      "UPDATE members SET probe_until = 0, bounces = 0 WHERE probe_until > 0 AND probe_until < ?",
      now,
    );
  }

  /** Sends to it again. */
  revive(list: string, id: number): void {
    this.#db.run(
      "UPDATE members SET dead = 0, bounces = 0, probe_until = 0 WHERE list = ? AND id = ?",
      list,
      id,
    );
  }

  // Posts

  /**
   * Takes a message; durable when it resolves.
   * @param file complete and synced; it is linked or copied
   */
  async addPost(
    p: Omit<Post, "id" | "cursor" | "lastMember">,
    file: string,
  ): Promise<Post> {
    let id: number;
    for (;;) {
      id = this.#nextFile++;
      try {
        await this.files.add(id, file);
        break;
      } catch (err) {
        if (!(err instanceof Deno.errors.AlreadyExists)) throw err;
      }
    }
    try {
      this.#db.run(
        "INSERT INTO posts (id, list, message_id, in_reply_to, author, author_name, subject, received, size, " +
          "vouched, smtputf8, has8bit, state, reason, binary_mime, require_tls, arc, last_member) " +
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, " +
          "(SELECT coalesce(max(id), 0) FROM members WHERE list = ?2))",
        id,
        p.list,
        p.messageId,
        p.inReplyTo,
        p.author,
        p.authorName,
        p.subject,
        p.received,
        p.size,
        p.vouched ? 1 : 0,
        p.smtputf8 ? 1 : 0,
        p.has8bit ? 1 : 0,
        p.state,
        p.reason,
        p.binary ? 1 : 0,
        p.requireTls ? 1 : 0,
        p.arc,
      );
    } catch (err) {
      this.files.remove(id);
      throw err;
    }
    await this.durable();
    return this.post(p.list, id)!;
  }

  post(list: string, id: number): Post | undefined {
    const r = this.#db.get(`SELECT ${postColumns} FROM posts WHERE list = ? AND id = ?`, list, id);
    return r && postOf(r);
  }

  /** Whether an author's message of this id was taken since a time. */
  hasPost(list: string, messageId: string, author: string, since: number): boolean {
    return this.#db.get(
      "SELECT 1 FROM posts WHERE list = ? AND message_id = ? AND author = ? AND received >= ?",
      list,
      messageId,
      author,
      since,
    ) !== undefined;
  }

  /** Messages of an author since a time. */
  postsOf(list: string, author: string, since: number): number {
    return this.#db.get(
      "SELECT count(*) FROM (SELECT author FROM posts WHERE list = ?1 AND received >= ?2 ORDER BY id DESC LIMIT 1000) " +
        "WHERE author = ?3",
      list,
      since,
      author,
    )![0];
  }

  /** Messages in a state, the last first, before an id if one is given. */
  posts(list: string, states: readonly PostState[], before: number, limit: number): Post[] {
    const marks = states.map(() => "?").join(", ");
    return this.#db.all(
      `SELECT ${postColumns} FROM posts WHERE list = ? AND state IN (${marks}) AND id < ? ORDER BY id DESC LIMIT ?`,
      list,
      ...states,
      before,
      limit,
    ).map(postOf);
  }

  heldCount(list: string): number {
    return this.#db.get("SELECT count(*) FROM posts WHERE list = ? AND state = 'held'", list)![0];
  }

  /** Ids of messages that are being sent, of all lists. */
  sending(): { list: string; id: number }[] {
    return this.#db.all("SELECT list, id FROM posts WHERE state = 'sending' ORDER BY id LIMIT 1000")
      .map((r) => ({ list: r[0], id: r[1] }));
  }

  /** A held message is sent to those who are members now. Not durable yet. */
  release(list: string, id: number): boolean {
    return this.#db.run(
      "UPDATE posts SET state = 'sending', reason = '', " +
        "last_member = (SELECT coalesce(max(id), 0) FROM members WHERE list = ?1) " +
        "WHERE list = ?1 AND id = ?2 AND state = 'held'",
      list,
      id,
    ).changes > 0;
  }

  /** The queue has it for a member. */
  passed(id: number, member: number): void {
    this.#db.run("UPDATE posts SET cursor = ? WHERE id = ? AND cursor < ?", member, id, member);
  }

  sent(id: number): void {
    this.#db.run("UPDATE posts SET state = 'sent' WHERE id = ?", id);
  }

  /** Removes a message with its file; durable when it resolves. */
  async removePost(list: string, id: number): Promise<boolean> {
    const gone = this.#db.run("DELETE FROM posts WHERE list = ? AND id = ?", list, id).changes > 0;
    await this.durable();
    if (gone) this.files.remove(id);
    return gone;
  }

  // Requests

  /** Notes a request, in place of an earlier one of the same kind for the address. */
  addRequest(r: Omit<Request, "id">): Request {
    return this.#db.transaction(() => {
      const key = addressKeyOf(r.address);
      this.#db.run("DELETE FROM requests WHERE submitted < ?", r.submitted - requestTime);
      this.#db.run(
        "INSERT INTO requests (list, address, key, name, kind, state, submitted) VALUES (?, ?, ?, ?, ?, ?, ?) " +
          "ON CONFLICT (list, key, kind) DO UPDATE SET state = excluded.state, submitted = excluded.submitted, " +
          "name = excluded.name, address = excluded.address WHERE state = 'confirm'",
        r.list,
        r.address,
        key,
        r.name,
        r.kind,
        r.state,
        r.submitted,
      );
      return requestOf(
        this.#db.get(
          `SELECT ${requestColumns} FROM requests WHERE list = ? AND key = ? AND kind = ?`,
          r.list,
          key,
          r.kind,
        )!,
      );
    });
  }

  request(list: string, id: number, now: number): Request | undefined {
    const r = this.#db.get(
      `SELECT ${requestColumns} FROM requests WHERE list = ? AND id = ? AND submitted >= ?`,
      list,
      id,
      now - requestTime,
    );
    return r && requestOf(r);
  }

  requests(list: string, state: Request["state"], now: number): Request[] {
    return this.#db.all(
      `SELECT ${requestColumns} FROM requests WHERE list = ? AND state = ? AND submitted >= ? ORDER BY id LIMIT 500`,
      list,
      state,
      now - requestTime,
    ).map(requestOf);
  }

  awaitApproval(id: number, now: number): void {
    this.#db.run("UPDATE requests SET state = 'approve', submitted = ? WHERE id = ?", now, id);
  }

  removeRequest(id: number): void {
    this.#db.run("DELETE FROM requests WHERE id = ?", id);
  }

  // Answers

  /** Whether one more may be written of those that a key stands for; if so, it counts. */
  mayAnswer(list: string, key: string, max: number, within: number, now: number): boolean {
    return this.#db.transaction(() => {
      this.#db.run("DELETE FROM answers WHERE submitted < ?", now - 2 * day);
      const count: number = this.#db.get(
        "SELECT count(*) FROM answers WHERE list = ? AND key = ? AND submitted >= ?",
        list,
        key,
        now - within,
      )![0];
      if (count >= max) return false;
      this.#db.run("INSERT INTO answers (list, key, submitted) VALUES (?, ?, ?)", list, key, now);
      return true;
    });
  }

  // Lists

  /** Lists that something is kept of. */
  lists(): string[] {
    return this.#db.all(
      "SELECT list FROM members UNION SELECT list FROM posts UNION SELECT list FROM requests",
    ).map((r) => r[0]);
  }

  /** Forgets a list that was removed, in slices. Returns true if something is left. */
  async forget(list: string): Promise<boolean> {
    const ids = this.#db.all("SELECT id FROM posts WHERE list = ? LIMIT 100", list)
      .map((r) => r[0] as number);
    this.#db.transaction(() => {
      for (const id of ids) this.#db.run("DELETE FROM posts WHERE id = ?", id);
      this.#db.run("DELETE FROM requests WHERE list = ?", list);
      this.#db.run(
        "DELETE FROM members WHERE id IN (SELECT id FROM members WHERE list = ? LIMIT 500)",
        list,
      );
    });
    await this.durable();
    for (const id of ids) this.files.remove(id);
    return this.lists().includes(list);
  }

  async close(): Promise<void> {
    this.files.close();
    await this.#db.close();
  }
}

/** Messages to mailing lists: held, being sent, or kept for the archive. Each is a row and a file. */
import type { Db, Row } from "../store/database/database.ts";
import type { MessageFiles } from "../store/files/message_files.ts";

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
const postOf = (row: Row): Post => ({
  id: row[0],
  list: row[1],
  messageId: row[2],
  inReplyTo: row[3],
  author: row[4],
  authorName: row[5],
  subject: row[6],
  received: row[7],
  size: row[8],
  vouched: row[9] === 1,
  smtputf8: row[10] === 1,
  has8bit: row[11] === 1,
  state: row[12],
  reason: row[13],
  cursor: row[14],
  lastMember: row[15],
  binary: row[16] === 1,
  requireTls: row[17] === 1,
  arc: row[18],
});

export class Posts {
  readonly #db: Db;
  readonly #files: MessageFiles;
  readonly #durable: () => Promise<void>;
  #nextFile: number;

  /**
   * Removes files that a crash has left without a row.
   * @param durable resolves when everything written is on disk
   */
  constructor(db: Db, files: MessageFiles, durable: () => Promise<void>) {
    this.#db = db;
    this.#files = files;
    this.#durable = durable;
    this.#nextFile = 1 + (db.get("SELECT seq FROM sqlite_sequence WHERE name = 'posts'")?.[0] ?? 0);
    for (const id of files.recent(this.#nextFile)) {
      if (!db.get("SELECT 1 FROM posts WHERE id = ?", id)) files.remove(id);
    }
  }

  /**
   * Stores a message; durable when it resolves.
   * @param file complete and synced; it is linked or copied
   */
  async add(
    p: Omit<Post, "id" | "cursor" | "lastMember">,
    file: string,
  ): Promise<Post> {
    let id: number;
    for (;;) {
      id = this.#nextFile++;
      try {
        await this.#files.add(id, file);
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
      this.#files.remove(id);
      throw err;
    }
    await this.#durable();
    return this.get(p.list, id)!;
  }

  get(list: string, id: number): Post | undefined {
    const r = this.#db.get(`SELECT ${postColumns} FROM posts WHERE list = ? AND id = ?`, list, id);
    return r && postOf(r);
  }

  /** Whether an author's message with this id was accepted since a time. */
  has(list: string, messageId: string, author: string, since: number): boolean {
    return this.#db.get(
      "SELECT 1 FROM posts WHERE list = ? AND message_id = ? AND author = ? AND received >= ?",
      list,
      messageId,
      author,
      since,
    ) !== undefined;
  }

  /** Messages of an author since a time. */
  countOf(list: string, author: string, since: number): number {
    return this.#db.get(
      "SELECT count(*) FROM (SELECT author FROM posts WHERE list = ?1 AND received >= ?2 ORDER BY id DESC LIMIT 1000) " +
        "WHERE author = ?3",
      list,
      since,
      author,
    )![0];
  }

  /** Messages in a state, newest first, before an id if given. */
  before(list: string, states: readonly PostState[], before: number, limit: number): Post[] {
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

  /** Releases a held message to the current members. Not durable yet. */
  release(list: string, id: number): boolean {
    return this.#db.run(
      "UPDATE posts SET state = 'sending', reason = '', " +
        "last_member = (SELECT coalesce(max(id), 0) FROM members WHERE list = ?1) " +
        "WHERE list = ?1 AND id = ?2 AND state = 'held'",
      list,
      id,
    ).changes > 0;
  }

  /** Records that it is queued for a member. */
  passed(id: number, member: number): void {
    this.#db.run("UPDATE posts SET cursor = ? WHERE id = ? AND cursor < ?", member, id, member);
  }

  sent(id: number): void {
    this.#db.run("UPDATE posts SET state = 'sent' WHERE id = ?", id);
  }

  /** Removes a message with its file; durable when it resolves. */
  async remove(list: string, id: number): Promise<boolean> {
    const gone = this.#db.run("DELETE FROM posts WHERE list = ? AND id = ?", list, id).changes > 0;
    await this.#durable();
    if (gone) this.#files.remove(id);
    return gone;
  }
}

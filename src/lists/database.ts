/**
 * Members of mailing lists, messages to them, and pending requests: `lists.db` in the data folder. The messages
 * themselves are files in the folder `lists` next to it.
 *
 * Crash safety. A message is a durable file before its row, and the row is durable before its sender hears 250. Sending goes
 * member by member: the queue has a message, then `cursor` moves in the same turn of the loop. After a crash in between the
 * queue still has that message, and is asked. The cursor must not be durable before what the queue has: so
 * {@link ListsDatabase.durable} waits for what is on its way there.
 *
 * @module
 */
import { join } from "node:path";
import { ensureDir } from "../platform/files.ts";
import { Db } from "../store/database/database.ts";
import { MessageFiles } from "../store/files/message_files.ts";
import { Answers } from "./answers.ts";
import { Members } from "./members.ts";
import { Posts } from "./posts.ts";
import { Requests } from "./requests.ts";
import { migrations } from "./schema.ts";

export class ListsDatabase {
  readonly #db: Db;
  readonly files: MessageFiles;
  readonly members: Members;
  readonly posts: Posts;
  readonly requests: Requests;
  readonly answers: Answers;
  /** Messages being queued. */
  #queueing: Promise<unknown> | undefined;

  private constructor(db: Db, files: MessageFiles) {
    this.#db = db;
    this.files = files;
    this.members = new Members(db);
    this.posts = new Posts(db, files, () => this.durable());
    this.requests = new Requests(db);
    this.answers = new Answers(db);
  }

  /** Opens it, and removes files that a crash has left without a row. */
  static async open(dataDir: string): Promise<ListsDatabase> {
    const dir = join(dataDir, "lists");
    await ensureDir(dir);
    const db = await Db.open(join(dataDir, "lists.db"), migrations);
    return new ListsDatabase(db, new MessageFiles(dir));
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

  /** Everything written is on disk when it resolves. */
  async durable(): Promise<void> {
    await this.#queueing;
    await this.#db.durable();
  }

  /** Lists with stored data. */
  lists(): string[] {
    return this.#db.all(
      "SELECT list FROM members UNION SELECT list FROM posts UNION SELECT list FROM requests",
    ).map((r) => r[0]);
  }

  /** Deletes the data of a removed list, in slices. Returns true if something remains. */
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

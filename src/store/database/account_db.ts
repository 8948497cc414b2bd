/** What rooms below the account need from it: its name, its database, and how to change it. @module */
import type { Db } from "./database.ts";
import type { Writer } from "./writer.ts";

export interface AccountDb {
  readonly name: string;
  readonly db: Db;
  readonly writer: Writer;
}

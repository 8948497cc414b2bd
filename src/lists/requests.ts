/** Requests to join, leave or read a list, waiting for confirmation by the address, or for an owner. */
import type { Db, Row } from "../store/database/database.ts";
import { addressKeyOf } from "./address_key.ts";

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
const requestOf = (row: Row): Request => ({
  id: row[0],
  list: row[1],
  address: row[2],
  name: row[3],
  kind: row[4],
  state: row[5],
  submitted: row[6],
});

/** Milliseconds that a request waits for confirmation. */
export const requestTime = 7 * 86_400_000;

export class Requests {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Stores a request, replacing an earlier one of the same kind for the address. */
  add(r: Omit<Request, "id">): Request {
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

  get(list: string, id: number, now: number): Request | undefined {
    const r = this.#db.get(
      `SELECT ${requestColumns} FROM requests WHERE list = ? AND id = ? AND submitted >= ?`,
      list,
      id,
      now - requestTime,
    );
    return r && requestOf(r);
  }

  inState(list: string, state: Request["state"], now: number): Request[] {
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

  remove(id: number): void {
    this.#db.run("DELETE FROM requests WHERE id = ?", id);
  }
}

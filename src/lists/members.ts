/** Members of mailing lists, and their bounces. */
import type { Db, Row } from "../store/database/database.ts";
import { addressKeyOf } from "./address_key.ts";

const day = 86_400_000;
/** Rows of members read or written at a time. */
export const maxSlice = 200;

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
const memberOf = (row: Row): Member => ({
  id: row[0],
  list: row[1],
  address: row[2],
  name: row[3],
  added: row[4],
  bounces: row[5],
  bounceText: row[6],
  probeUntil: row[7],
  dead: row[8] === 1,
});

export class Members {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  count(list: string): number {
    return this.#db.get("SELECT count(*) FROM members WHERE list = ?", list)![0];
  }

  get(list: string, address: string): Member | undefined {
    const r = this.#db.get(
      `SELECT ${memberColumns} FROM members WHERE list = ? AND key = ?`,
      list,
      addressKeyOf(address),
    );
    return r && memberOf(r);
  }

  byId(list: string, id: number): Member | undefined {
    const r = this.#db.get(
      `SELECT ${memberColumns} FROM members WHERE list = ? AND id = ?`,
      list,
      id,
    );
    return r && memberOf(r);
  }

  /** Members with higher ids, in the order of ids. */
  after(list: string, after: number, limit: number): Member[] {
    return this.#db.all(
      `SELECT ${memberColumns} FROM members WHERE list = ? AND id > ? ORDER BY id LIMIT ?`,
      list,
      after,
      limit,
    ).map(memberOf);
  }

  /** Adds members; returns how many were new. One transaction: pass at most {@link maxSlice}. */
  add(
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

  remove(list: string, address: string): boolean {
    return this.#db.run(
      "DELETE FROM members WHERE list = ? AND key = ?",
      list,
      addressKeyOf(address),
    ).changes > 0;
  }

  /** Counts a bounce, at most once a day. Returns the updated member. */
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
    return this.byId(list, id);
  }

  setProbe(list: string, id: number, until: number): void {
    this.#db.run("UPDATE members SET probe_until = ? WHERE list = ? AND id = ?", until, list, id);
  }

  /** Stops sending to it. */
  giveUp(list: string, id: number): void {
    this.#db.run(
      "UPDATE members SET dead = 1, probe_until = 0 WHERE list = ? AND id = ?",
      list,
      id,
    );
  }

  /** Members whose probes did not bounce are enabled again; members given up earlier are unchanged. */
  endProbes(now: number): void {
    this.#db.run(
      "UPDATE members SET probe_until = 0, bounces = 0 WHERE probe_until > 0 AND probe_until < ?",
      now,
    );
  }

  /** Resumes sending to it. */
  revive(list: string, id: number): void {
    this.#db.run(
      "UPDATE members SET dead = 0, bounces = 0, probe_until = 0 WHERE list = ? AND id = ?",
      list,
      id,
    );
  }
}

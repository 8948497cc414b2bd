/**
 * Secrets for checking logins, read without opening the account: the same work for open accounts, for unused
 * ones, and for unknown names, for which the database of another account is read in vain.
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ScramCredentials, scramRounds } from "../../sasl/credentials.ts";
import { noSecrets, readSecrets, scramCredentials, type Secrets } from "./secrets.ts";

/** Least milliseconds that reading takes: more than it needs on an idle machine, in every case. */
const readTime = 4;

export class LoginDirectory {
  readonly #dir: string;
  readonly #key: Uint8Array;
  readonly #names: () => Iterable<string>;

  /**
   * @param dir the folder of the accounts
   * @param key of this server, the same after a restart: data invented for a name must stay the same
   * @param names of all accounts
   */
  constructor(dir: string, key: Uint8Array, names: () => Iterable<string>) {
    this.#dir = dir;
    this.#key = key;
    this.#names = names;
  }

  #mac(text: string): Uint8Array {
    return Uint8Array.from(createHmac("sha256", this.#key).update(text).digest());
  }

  /** The account that stands in for a name: mostly the same, even when accounts are added and removed. */
  #standIn(login: string): string | undefined {
    let best: string | undefined;
    let most = -1;
    for (const name of this.#names()) {
      const mac = this.#mac(`stand-in ${name.length} ${name} ${login}`);
      const weight = new DataView(mac.buffer).getUint32(0);
      if (weight > most) [best, most] = [name, weight];
    }
    return best;
  }

  /**
   * The secrets of an account; nothing for an unknown name. Never throws: an account whose database can't be
   * read this way, such as one of an older version, has to be opened.
   * @param account name of the account; undefined if the login name is nobody's
   * @param start when the check began, by performance.now(): the time before this call is included
   * @returns `unread` if it has to be opened
   */
  async read(
    login: string,
    account: string | undefined,
    start = performance.now(),
  ): Promise<Secrets | "unread"> {
    const standIn = this.#standIn(login);
    const name = account ?? standIn;
    const found = name === undefined ? undefined : this.#readOf(name);
    const left = readTime - (performance.now() - start);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    if (account === undefined) return noSecrets;
    return found ?? "unread";
  }

  #readOf(name: string): Secrets | undefined {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(join(this.#dir, name, "index.db"), { readOnly: true });
      const open = db;
      return readSecrets({
        all(sql) {
          const s = open.prepare(sql);
          (s as typeof s & { setReturnArrays(on: boolean): void }).setReturnArrays(true);
          // deno-lint-ignore no-explicit-any -- rows have SQL's types
          return s.all() as unknown as any[][];
        },
      });
    } catch {
      return undefined;
    } finally {
      db?.close();
    }
  }

  /**
   * SCRAM credentials that no password fits, for a name without any: with a stable salt, and the number of
   * rounds of an existing account.
   */
  absentScram(login: string, mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256"): ScramCredentials {
    const standIn = this.#standIn(login);
    const like = standIn === undefined ? undefined : this.#readOf(standIn);
    const iterations = like && scramCredentials(like, mechanism)?.iterations;
    const size = mechanism === "SCRAM-SHA-1" ? 20 : 32;
    const made = (what: string) => this.#mac(`${what} ${mechanism} ${login}`);
    return {
      salt: made("salt").subarray(0, 16),
      iterations: iterations ?? scramRounds[mechanism === "SCRAM-SHA-1" ? "sha1" : "sha256"],
      storedKey: made("stored").subarray(0, size),
      serverKey: made("server").subarray(0, size),
      absent: true,
    };
  }
}

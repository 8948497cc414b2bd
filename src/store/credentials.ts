/**
 * An account's credentials: an argon2id hash for mechanisms that send the password, and what SCRAM and
 * CRAM-MD5 need to check a password that isn't sent. The password itself is never stored.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import {
  type CramMd5Credentials,
  decodeCredentials,
  deriveCredentials,
  encodeCredentials,
  type ScramCredentials,
} from "../sasl/credentials.ts";
import type { Db } from "./database.ts";
import { checkPassword, hashPassword } from "./password.ts";
import type { Writer } from "./writer.ts";

/** Fewest characters of a password; set through {@link Credentials.setPassword}. */
export const minPasswordLength = 8;

/** How long a password that was right is known to be so, in milliseconds. */
const cacheTime = 10 * 60 * 1000;

// A MAC with a key of this process: what is kept in memory is of no use elsewhere.
const cacheKey = randomBytes(32);
function mac(password: string): Uint8Array {
  return createHmac("sha256", cacheKey).update(password).digest();
}

/** Checked in place of a hash that doesn't exist, so that timing doesn't tell which accounts do. */
const absentHash =
  "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Spends the time of a password check, for names without an account. */
export async function checkAbsentPassword(password: string): Promise<false> {
  await checkPassword(password, absentHash).catch(() => {});
  return false;
}

export class Credentials {
  readonly #db: Db;
  readonly #writer: Writer;
  #known: { mac: Uint8Array; hash: string; until: number } | undefined;

  constructor(db: Db, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
  }

  #read(kind: string): string | undefined {
    return this.#db.get("SELECT value FROM credentials WHERE kind = ?", kind)?.[0];
  }

  /** True if a password has been set. */
  get hasPassword(): boolean {
    return this.#read("password") !== undefined;
  }

  /** Checks a password; a right one is remembered for some minutes, so that clients reconnect fast. */
  async verifyPassword(password: string): Promise<boolean> {
    const hash = this.#read("password");
    if (hash === undefined) return await checkAbsentPassword(password);
    const known = this.#known;
    const m = mac(password);
    if (
      known && known.hash === hash && known.until > Date.now() && timingSafeEqual(known.mac, m)
    ) {
      return true;
    }
    if (!await checkPassword(password, hash)) return false;
    this.#known = { mac: m, hash, until: Date.now() + cacheTime };
    return true;
  }

  /** Sets a new password for all mechanisms. Durable when it resolves. */
  async setPassword(password: string): Promise<void> {
    const derived = await deriveCredentials(password);
    const rows: [string, string][] = [["password", await hashPassword(password)]];
    for (const [kind, value] of Object.entries(encodeCredentials(derived))) {
      rows.push([kind, value]);
    }
    await this.#writer.write(() => {
      this.#db.exec("DELETE FROM credentials");
      for (const [kind, value] of rows) {
        this.#db.run("INSERT INTO credentials (kind, value) VALUES (?, ?)", kind, value);
      }
    });
    this.#known = undefined;
  }

  #derived(): ReturnType<typeof decodeCredentials> {
    const rows: Record<string, string> = {};
    for (const [k, v] of this.#db.all("SELECT kind, value FROM credentials")) rows[k] = v;
    return decodeCredentials(rows);
  }

  scram(mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256"): ScramCredentials | undefined {
    const d = this.#derived();
    return mechanism === "SCRAM-SHA-1" ? d.scramSha1 : d.scramSha256;
  }

  cramMd5(): CramMd5Credentials | undefined {
    return this.#derived().cramMd5;
  }
}

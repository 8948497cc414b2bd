/**
 * An account's credentials: an argon2id hash for mechanisms that send the password, and what SCRAM and
 * CRAM-MD5 need to check a password that isn't sent. The password itself is never stored.
 *
 * With a second factor (TOTP) the password opens the pages only, together with a code; programs, which can't
 * ask for one, need passwords of their own.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import {
  type CramMd5Credentials,
  decodeCredentials,
  deriveCredentials,
  type DerivedCredentials,
  encodeCredentials,
  type ScramCredentials,
} from "../../sasl/credentials.ts";
import {
  type AppPassword,
  appPasswordHash,
  encodeAppPassword,
  listAppPasswords,
  maxAppPasswords,
  newAppPassword,
  storedAppPasswords,
} from "./app_passwords.ts";
import type { Db } from "../database/database.ts";
import { matchingStep } from "./totp.ts";
import { Log } from "../../log/mod.ts";
import { checkPassword, hashPassword, isOwnHash } from "./password.ts";
import { parsePasswordHash } from "./password_hash.ts";
import type { Writer } from "../database/writer.ts";

const log = new Log("store");

/** Who logs in from where. */
type Peer = { protocol: string; remoteIp: string };

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

/** Puts a password's hash, and what else is kept of it, in the place of the one before. In a transaction. */
export function putCredentials(db: Db, hash: string, derived: DerivedCredentials): void {
  db.exec("DELETE FROM credentials WHERE kind NOT IN ('totp', 'recovery')");
  for (const [kind, value] of Object.entries({ password: hash, ...encodeCredentials(derived) })) {
    db.run("INSERT INTO credentials (kind, value) VALUES (?, ?)", kind, value);
  }
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
    if (!isOwnHash(hash) || this.#derived().scramSha256 === undefined) {
      await this.#setPassword(password, hash).catch((err) => {
        // The login is good all the same; the next one tries again.
        log.error("replacing the hash of a password", { err: err as Error });
      });
    }
    return true;
  }

  /**
   * Takes over what another server kept of a password: its hash (password_hash.ts), which is replaced by our
   * own at the next login with the password itself, and keys of SCRAM and CRAM-MD5 if there are any.
   */
  async setPasswordHash(hash: string, derived: DerivedCredentials = {}): Promise<void> {
    if (parsePasswordHash(hash) === undefined) {
      throw new Error("the hash is of a kind that can't be verified");
    }
    await this.#replacePassword(hash, derived);
  }

  /** Sets a new password for all mechanisms. Durable when it resolves. */
  setPassword(password: string): Promise<void> {
    return this.#setPassword(password);
  }

  /** @param ifHash nothing is set if the hash is meanwhile another one */
  async #setPassword(password: string, ifHash?: string): Promise<void> {
    const derived = await deriveCredentials(password, storedAppPasswords(this.#db)[0]?.derived);
    await this.#replacePassword(await hashPassword(password), derived, ifHash);
  }

  async #replacePassword(
    hash: string,
    derived: DerivedCredentials,
    ifHash?: string,
  ): Promise<void> {
    await this.#writer.write(() => {
      if (ifHash !== undefined && this.#read("password") !== ifHash) return;
      putCredentials(this.#db, hash, derived);
    });
    this.#known = undefined;
  }

  #derived(): ReturnType<typeof decodeCredentials> {
    const rows: Record<string, string> = {};
    for (const [k, v] of this.#db.all("SELECT kind, value FROM credentials")) rows[k] = v;
    return decodeCredentials(rows);
  }

  /** Of all passwords that programs may log in with. */
  #forPrograms(peer: Peer | undefined): (DerivedCredentials & { used?: () => void })[] {
    return [
      ...this.hasSecondFactor ? [] : [this.#derived()],
      ...storedAppPasswords(this.#db).map((p) => ({
        ...p.derived,
        used: () => this.#used(p.id, peer),
      })),
    ];
  }

  scram(
    mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256",
    peer?: Peer,
  ): ScramCredentials | undefined {
    const all = this.#forPrograms(peer).flatMap((d) => {
      const c = mechanism === "SCRAM-SHA-1" ? d.scramSha1 : d.scramSha256;
      return c ? [{ ...c, used: d.used }] : [];
    });
    return all.length === 0 ? undefined : { ...all[0], others: all.slice(1) };
  }

  cramMd5(peer?: Peer): CramMd5Credentials | undefined {
    const all = this.#forPrograms(peer).flatMap((d) =>
      d.cramMd5 ? [{ ...d.cramMd5, used: d.used }] : []
    );
    return all.length === 0 ? undefined : { ...all[0], others: all.slice(1) };
  }

  /**
   * Checks a password that a program has sent. "secondFactor": it is the user's own, and would be right were
   * there no second factor.
   */
  async verifyForProgram(
    password: string,
    peer?: Peer,
  ): Promise<"ok" | "wrong" | "secondFactor"> {
    const hash = Buffer.from(appPasswordHash(password));
    let found: number | undefined;
    for (const p of storedAppPasswords(this.#db)) {
      const stored = Buffer.from(p.hash);
      if (stored.length === hash.length && timingSafeEqual(stored, hash)) found = p.id;
    }
    if (found !== undefined) {
      this.#used(found, peer);
      return "ok";
    }
    if (!await this.verifyPassword(password)) return "wrong";
    return this.hasSecondFactor ? "secondFactor" : "ok";
  }

  /** Notes the use of a password, not more than once a minute. */
  #used(id: number, peer: Peer | undefined): void {
    const now = Date.now();
    this.#writer.write(() => {
      this.#db.run(
        "UPDATE app_passwords SET last_used = ?1, last_protocol = ?2, last_ip = ?3 WHERE id = ?4 " +
          "AND (last_used < ?1 - 60000 OR last_ip != ?3)",
        now,
        peer?.protocol ?? "",
        peer?.remoteIp ?? "",
        id,
      );
    }).catch(() => {
      // The account is being closed; nothing depends on it.
    });
  }

  appPasswords(): AppPassword[] {
    return listAppPasswords(this.#db);
  }

  /** Makes a password for a program; durable when it resolves. Undefined if there are too many. */
  async addAppPassword(name: string): Promise<string | undefined> {
    const stored = storedAppPasswords(this.#db);
    if (stored.length >= maxAppPasswords) return undefined;
    const password = newAppPassword();
    const main = this.#derived();
    const derived = await deriveCredentials(password, main.scramSha256 ? main : stored[0]?.derived);
    await this.#writer.write(() => {
      this.#db.run(
        "INSERT INTO app_passwords (name, value, created) VALUES (?, ?, ?)",
        name,
        encodeAppPassword(password, derived),
        Date.now(),
      );
    });
    return password;
  }

  /** False if there is none with that id. */
  removeAppPassword(id: number): Promise<boolean> {
    return this.#writer.write(() =>
      this.#db.run("DELETE FROM app_passwords WHERE id = ?", id).changes > 0
    );
  }

  // --- the second factor

  #totp(): { key: string; used: number } | undefined {
    const text = this.#read("totp");
    if (text === undefined) return undefined;
    const { key, used } = JSON.parse(text);
    return { key: String(key), used: Number(used) || 0 };
  }

  get hasSecondFactor(): boolean {
    return this.#read("totp") !== undefined;
  }

  /** Recovery codes that are left. */
  get recoveryCodes(): number {
    return JSON.parse(this.#read("recovery") ?? "[]").length;
  }

  #write(rows: Record<string, unknown>): void {
    for (const [kind, value] of Object.entries(rows)) {
      this.#db.run(
        "INSERT INTO credentials (kind, value) VALUES (?, ?) " +
          "ON CONFLICT (kind) DO UPDATE SET value = excluded.value",
        kind,
        JSON.stringify(value),
      );
    }
  }

  /**
   * Turns the second factor on with a key whose current code the user has shown to have.
   * @returns recovery codes, each good for one login; undefined if the code is wrong.
   */
  async enableTotp(key: string, code: string, now: number): Promise<string[] | undefined> {
    const step = matchingStep(key, code, now, 0);
    if (step === undefined) return undefined;
    const codes = Array.from({ length: 10 }, () => newAppPassword().slice(0, 10));
    await this.#writer.write(() =>
      this.#write({ totp: { key, used: step }, recovery: codes.map(appPasswordHash) })
    );
    return codes;
  }

  async disableTotp(): Promise<void> {
    await this.#writer.write(() => {
      this.#db.exec("DELETE FROM credentials WHERE kind IN ('totp', 'recovery')");
    });
  }

  /** Checks a code of the second factor, or a recovery code; each is good once. True without one. */
  checkSecondFactor(code: string, now: number): Promise<boolean> {
    const given = code.replace(/\s/g, "").toLowerCase();
    return this.#writer.write(() => {
      const totp = this.#totp();
      if (!totp) return true;
      const step = matchingStep(totp.key, given, now, totp.used);
      if (step !== undefined) {
        this.#write({ totp: { ...totp, used: step } });
        return true;
      }
      const hash = appPasswordHash(given);
      const codes: string[] = JSON.parse(this.#read("recovery") ?? "[]");
      if (!codes.includes(hash)) return false;
      this.#write({ recovery: codes.filter((c) => c !== hash) });
      return true;
    });
  }
}

/**
 * An account's credentials: an argon2id hash for mechanisms that send the password, and the data with which
 * SCRAM and CRAM-MD5 check a password that isn't sent. The password itself is never stored.
 *
 * With a second factor (TOTP) the password works only for the pages, together with a code; programs, which
 * can't ask for one, need app passwords.
 *
 * @module
 */
import {
  type CramMd5Credentials,
  deriveCredentials,
  type DerivedCredentials,
  encodeCredentials,
  type ScramCredentials,
} from "../../sasl/credentials.ts";
import { cramMd5Wanted } from "../../sasl/cram_setting.ts";
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
import { hashPassword, isOwnHash } from "./password.ts";
import { parsePasswordHash } from "./password_hash.ts";
import {
  cramMd5Credentials,
  measureHash,
  newPasswordId,
  passwordIdKind,
  readSecrets,
  scramCredentials,
  type Secrets,
  verifyPassword,
} from "./secrets.ts";
import type { Writer } from "../database/writer.ts";

const log = new Log("store");

/** Who logs in, and from where. */
type Peer = { protocol: string; remoteIp: string };

/** Fewest characters of a password; set through {@link Credentials.setPassword}. */
export const minPasswordLength = 8;

/** What has changed in an account's ways to log in. */
export type CredentialChange = "password" | "appPassword" | "secondFactor" | "passkey";

/**
 * Replaces the password's hash and the other data stored for it. In a transaction.
 * @param name of the password as a credential; a new one if not given
 */
export function putCredentials(
  db: Db,
  hash: string,
  derived: DerivedCredentials,
  name = newPasswordId(),
): void {
  const rows = { password: hash, [passwordIdKind]: name, ...encodeCredentials(derived) };
  db.exec("DELETE FROM credentials WHERE kind NOT IN ('totp', 'recovery')");
  for (const [kind, value] of Object.entries(rows)) {
    db.run("INSERT INTO credentials (kind, value) VALUES (?, ?)", kind, value);
  }
}

export class Credentials {
  readonly #db: Db;
  readonly #writer: Writer;
  /**
   * Called with each change, after it is durable: sessions whose credential is gone must end. The session given
   * as the origin of the change may stay.
   */
  onChange: ((change: CredentialChange, keepSession: number | undefined) => void) | undefined;

  constructor(db: Db, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
  }

  #read(kind: string): string | undefined {
    return this.#db.get("SELECT value FROM credentials WHERE kind = ?", kind)?.[0];
  }

  /** Removes the CRAM-MD5 data of the password and of app passwords, where it isn't wanted. */
  async dropUnwanted(): Promise<void> {
    if (cramMd5Wanted()) return;
    const there = this.#db.get(
      "SELECT 1 WHERE EXISTS (SELECT 1 FROM credentials WHERE kind = 'cram-md5') OR EXISTS " +
        "(SELECT 1 FROM app_passwords WHERE value LIKE '%\"cram-md5\"%')",
    );
    if (there === undefined) return;
    await this.#writer.write(() => {
      this.#db.run("DELETE FROM credentials WHERE kind = 'cram-md5'");
      this.#db.run(
        "UPDATE app_passwords SET value = json_remove(value, '$.\"cram-md5\"') WHERE json_valid(value)",
      );
    });
  }

  /** True if a password has been set. */
  get hasPassword(): boolean {
    return this.#read("password") !== undefined;
  }

  /** All data that logins are checked with. */
  secrets(): Secrets {
    return readSecrets(this.#db);
  }

  /** Checks the user's own password. `from` decides its place in the queue, such as an address. */
  async verifyPassword(password: string, from = ""): Promise<boolean> {
    const hash = this.#read("password");
    if (!await verifyPassword(hash, password, from)) return false;
    await this.renewHash(password, hash!);
    return true;
  }

  /** Replaces another server's hash, or adds missing keys, after a password was right. */
  async renewHash(password: string, hash: string): Promise<void> {
    const own = isOwnHash(hash);
    if (own && this.secrets().derived.scramSha256 !== undefined) return;
    await this.#setPassword(password, hash).catch((err) => {
      // The login succeeds anyway; the next one tries again.
      log.error("replacing the hash of a password", { err: err as Error });
    });
  }

  /**
   * Takes over a password's data from another server: its hash (password_hash.ts), which is replaced by our own
   * at the next login with the password itself, and keys of SCRAM and CRAM-MD5 if there are any.
   */
  async setPasswordHash(hash: string, derived: DerivedCredentials = {}): Promise<void> {
    if (parsePasswordHash(hash) === undefined) {
      throw new Error("the hash is of a kind that can't be verified");
    }
    await this.#replacePassword(hash, derived);
    this.onChange?.("password", undefined);
    await measureHash(hash);
  }

  /** Sets a new password for all mechanisms. Durable when it resolves. */
  async setPassword(password: string, keepSession?: number): Promise<void> {
    await this.#setPassword(password);
    this.onChange?.("password", keepSession);
  }

  /** @param ifHash sets nothing if the hash has changed meanwhile; the password itself stays the same */
  async #setPassword(password: string, ifHash?: string): Promise<void> {
    const derived = await deriveCredentials(password, storedAppPasswords(this.#db)[0]?.derived);
    await this.#replacePassword(await hashPassword(password), derived, ifHash);
  }

  async #replacePassword(
    hash: string,
    derived: DerivedCredentials,
    ifHash?: string,
  ): Promise<void> {
    // A renewed hash is of the same password: its sessions stay logged in.
    const { passwordName } = this.secrets();
    const id = ifHash === undefined ? undefined : passwordName;
    await this.#writer.write(() => {
      if (ifHash !== undefined && this.#read("password") !== ifHash) return;
      putCredentials(this.#db, hash, derived, id);
    });
  }

  scram(
    mechanism: "SCRAM-SHA-1" | "SCRAM-SHA-256",
    peer?: Peer,
  ): ScramCredentials | undefined {
    return scramCredentials(this.secrets(), mechanism, (id) => this.used(id, peer));
  }

  cramMd5(peer?: Peer): CramMd5Credentials | undefined {
    return cramMd5Credentials(this.secrets(), (id) => this.used(id, peer));
  }

  /** Notes the use of an app password, not more than once a minute. */
  used(id: number, peer: Peer | undefined): void {
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
      // The account is being closed; nothing depends on this.
    });
  }

  appPasswords(): AppPassword[] {
    return listAppPasswords(this.#db);
  }

  /** Creates an app password; durable when it resolves. Undefined if there are too many. */
  async addAppPassword(name: string): Promise<string | undefined> {
    const stored = storedAppPasswords(this.#db);
    if (stored.length >= maxAppPasswords) return undefined;
    const password = newAppPassword();
    const main = this.secrets().derived;
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
  async removeAppPassword(id: number): Promise<boolean> {
    const removed = await this.#writer.write(() =>
      this.#db.run("DELETE FROM app_passwords WHERE id = ?", id).changes > 0
    );
    if (removed) this.onChange?.("appPassword", undefined);
    return removed;
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

  /** Number of unused recovery codes. */
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
   * Turns the second factor on with a key, given its current code as proof.
   * @returns recovery codes, each valid for one login; undefined if the code is wrong.
   */
  async enableTotp(
    key: string,
    code: string,
    now: number,
    keepSession?: number,
  ): Promise<string[] | undefined> {
    const step = matchingStep(key, code, now, 0);
    if (step === undefined) return undefined;
    const codes = Array.from({ length: 10 }, () => newAppPassword().slice(0, 10));
    await this.#writer.write(() =>
      this.#write({ totp: { key, used: step }, recovery: codes.map(appPasswordHash) })
    );
    this.onChange?.("secondFactor", keepSession);
    return codes;
  }

  async disableTotp(): Promise<void> {
    await this.#writer.write(() => {
      this.#db.exec("DELETE FROM credentials WHERE kind IN ('totp', 'recovery')");
    });
  }

  /**
   * Checks a code of the second factor, or a recovery code; each is valid once. True without a second factor.
   */
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

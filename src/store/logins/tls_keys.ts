/**
 * Public keys of TLS client certificates that log in without a password (SASL EXTERNAL), of all accounts:
 * `tlskeys.db` in the data folder. Only the key matters; its certificate may be renewed.
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { AccountDatabase } from "../database/account_rows.ts";
import { Db, type Migration } from "../database/database.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE keys (
  -- SHA-256 of the SubjectPublicKeyInfo, base64url.
  fingerprint TEXT PRIMARY KEY,
  login TEXT NOT NULL,
  -- Whose address it was: should it become another's, the key doesn't go along.
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  certificate BLOB NOT NULL,
  added INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX keys_login ON keys (login);
`,
}];

/** The tables with rows of accounts. */
export const tlsKeysOfAccounts: AccountDatabase = {
  file: "tlskeys.db",
  migrations,
  tables: [{ name: "keys" }],
};

/** Most keys of one login name. */
const maxKeys = 100;

/** A key that may log in. */
export interface TlsKey {
  fingerprint: string;
  /** The address that it logs in as. */
  login: string;
  /** The user's name for it. */
  name: string;
  /** Such as "ecdsa-p256", "rsa2048". */
  type: string;
  /** Milliseconds since the epoch. */
  added: number;
}

/** A certificate or key that can't be used; the text says why. */
export class TlsKeyError extends Error {
  override name = "TlsKeyError";
}

/** Fingerprint and kind of a certificate's key. @throws Error if it is not a certificate */
function describe(certificate: Uint8Array): { fingerprint: string; type: string; subject: string } {
  const c = new X509Certificate(certificate);
  const key = c.publicKey;
  const spki = key.export({ type: "spki", format: "der" });
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const kind = key.asymmetricKeyType ?? "unknown";
  const type = kind === "ec"
    ? `ecdsa-${namedCurve === "prime256v1" || namedCurve === "P-256" ? "p256" : namedCurve}`
    : kind === "rsa"
    ? `rsa${modulusLength}`
    : kind;
  return {
    fingerprint: createHash("sha256").update(spki).digest("base64url"),
    type,
    subject: /CN=([^\n]*)/.exec(c.subject ?? "")?.[1] ?? "",
  };
}

export class TlsKeys {
  readonly #db: Db;
  /** Called after a key was removed. */
  onRemoved: (() => void) | undefined;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<TlsKeys> {
    return new TlsKeys(await Db.open(join(dataDir, "tlskeys.db"), migrations));
  }

  /** True if there is any key: only then are clients asked for a certificate. */
  get any(): boolean {
    return this.#db.get("SELECT 1 FROM keys LIMIT 1") !== undefined;
  }

  /** The login name of a certificate (DER), and the account that it belonged to then. */
  loginOf(
    certificate: Uint8Array,
  ): { login: string; account: string; fingerprint: string } | undefined {
    let fingerprint: string;
    try {
      ({ fingerprint } = describe(certificate));
    } catch {
      return undefined;
    }
    const r = this.#db.get("SELECT login, account FROM keys WHERE fingerprint = ?", fingerprint);
    return r && { login: r[0], account: r[1], fingerprint };
  }

  /** Keys of a login name, or all keys for "". */
  list(login = ""): TlsKey[] {
    return this.#db.all(
      "SELECT fingerprint, login, name, type, added FROM keys WHERE (?1 = '' OR login = ?1) " +
        "ORDER BY login, added",
      login,
    ).map(([fingerprint, login, name, type, added]) => ({ fingerprint, login, name, type, added }));
  }

  /**
   * Lets a certificate's key log in; on disk when it resolves.
   * @param certificate PEM or DER
   * @param name the certificate's common name if ""
   * @param added milliseconds since the epoch
   * @throws TlsKeyError
   */
  async add(
    { login, account }: { login: string; account: string },
    certificate: string | Uint8Array,
    name = "",
    added = Date.now(),
  ): Promise<TlsKey> {
    let der: Uint8Array;
    let about: ReturnType<typeof describe>;
    try {
      der = Uint8Array.from(new X509Certificate(certificate).raw);
      about = describe(der);
    } catch (err) {
      throw new TlsKeyError("not a certificate in PEM form", { cause: err });
    }
    if (/^rsa(\d+)$/.exec(about.type)?.[1] && Number(about.type.slice(3)) < 2048) {
      throw new TlsKeyError(`a key of ${about.type.slice(3)} bits is too short: 2048 at least`);
    }
    if (this.list(login).length >= maxKeys) {
      throw new TlsKeyError(`${login} has ${maxKeys} keys already: remove one first`);
    }
    const key: TlsKey = {
      fingerprint: about.fingerprint,
      login,
      name: (name || about.subject || "unnamed").slice(0, 100),
      type: about.type,
      added,
    };
    const { changes } = this.#db.run(
      "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      key.fingerprint,
      login,
      account,
      key.name,
      key.type,
      der,
      key.added,
    );
    await this.#db.durable();
    if (changes === 0) {
      throw new TlsKeyError(`the key ${key.fingerprint} is there already`);
    }
    return key;
  }

  /** PEM of the original certificate. */
  certificate(fingerprint: string): string | undefined {
    const row = this.#db.get("SELECT certificate FROM keys WHERE fingerprint = ?", fingerprint);
    return row && new X509Certificate(row[0]).toString();
  }

  /** False if there is no such key. */
  async remove(fingerprint: string): Promise<boolean> {
    const { changes } = this.#db.run("DELETE FROM keys WHERE fingerprint = ?", fingerprint);
    await this.#db.durable();
    if (changes > 0) this.onRemoved?.();
    return changes > 0;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

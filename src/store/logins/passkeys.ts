/** Passkeys of an account: public keys of devices that log in to the pages (WebAuthn). @module */
import type { AccountDb } from "../database/account_db.ts";

/** Most passkeys of one account. */
export const maxPasskeys = 20;

/** Times in milliseconds since the epoch, 0 for never. */
export interface Passkey {
  id: number;
  name: string;
  created: number;
  lastUsed: number;
}

/** The data that checks a login. */
export interface PasskeyKey {
  id: number;
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array;
  /** COSE number: -7, -8 or -257. */
  algorithm: number;
  signCount: number;
}

export function listPasskeys(account: AccountDb): Passkey[] {
  return account.db.all("SELECT id, name, created, last_used FROM passkeys ORDER BY id")
    .map(([id, name, created, lastUsed]) => ({ id, name, created, lastUsed }));
}

/** Ids of the credentials, so that a device doesn't make a second one. */
export function credentialIds(account: AccountDb): Uint8Array[] {
  return account.db.all("SELECT credential_id FROM passkeys").map((r) => r[0]);
}

export function findPasskey(account: AccountDb, credentialId: Uint8Array): PasskeyKey | undefined {
  const r = account.db.get(
    "SELECT id, public_key, algorithm, sign_count FROM passkeys WHERE credential_id = ?",
    credentialId,
  );
  return r && { id: r[0], publicKey: r[1], algorithm: r[2], signCount: r[3] };
}

/** Durable when it resolves. False if there are too many, or it exists already. */
export function addPasskey(
  account: AccountDb,
  p: {
    credentialId: Uint8Array;
    publicKey: Uint8Array;
    algorithm: number;
    signCount: number;
    name: string;
  },
): Promise<boolean> {
  return account.writer.write(() => {
    if (listPasskeys(account).length >= maxPasskeys) return false;
    return account.db.run(
      "INSERT INTO passkeys (credential_id, public_key, algorithm, sign_count, name, created) " +
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      p.credentialId,
      p.publicKey,
      p.algorithm,
      p.signCount,
      p.name,
      Date.now(),
    ).changes > 0;
  });
}

/** Notes a login with a passkey. */
export function usedPasskey(account: AccountDb, id: number, signCount: number): Promise<void> {
  return account.writer.write(() => {
    account.db.run(
      "UPDATE passkeys SET last_used = ?, sign_count = ? WHERE id = ?",
      Date.now(),
      signCount,
      id,
    );
  });
}

/** False if there is none with that id. */
export function removePasskey(account: AccountDb, id: number): Promise<boolean> {
  return account.writer.write(() =>
    account.db.run("DELETE FROM passkeys WHERE id = ?", id).changes > 0
  );
}

/**
 * Passwords of single programs, made by the server: each can be taken back, and none opens the pages that change
 * the account.
 *
 * They are random enough that a plain hash keeps them. For SCRAM all passwords of an account have one salt: the
 * server sends it before it knows which of them the client has.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { DerivedCredentials } from "../../sasl/credentials.ts";
import { decodeCredentials, encodeCredentials } from "../../sasl/credentials.ts";
import type { Db } from "../database/database.ts";

/** Without those that are taken for another. */
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789";
const length = 20;
/** Of one account. */
export const maxAppPasswords = 50;

/** What is shown of one. Times in milliseconds since the epoch, 0 for never. */
export interface AppPassword {
  id: number;
  name: string;
  created: number;
  lastUsed: number;
  lastProtocol: string;
  lastIp: string;
}

/** One with what checks it. */
export interface StoredAppPassword {
  id: number;
  hash: string;
  derived: DerivedCredentials;
}

/** 100 random bits as text. */
export function newAppPassword(): string {
  return [...randomBytes(length)].map((b) => alphabet[b & 31]).join("");
}

export function appPasswordHash(password: string): string {
  return createHash("sha256").update(`app password ${password}`).digest("base64url");
}

/** What is stored of a password. */
export function encodeAppPassword(password: string, derived: DerivedCredentials): string {
  return JSON.stringify({ hash: appPasswordHash(password), ...encodeCredentials(derived) });
}

/** All of an account, as far as they can be read. */
export function storedAppPasswords(db: Pick<Db, "all">): StoredAppPassword[] {
  return db.all("SELECT id, value FROM app_passwords").flatMap(([id, value]) => {
    try {
      const rows = JSON.parse(value) as Record<string, string>;
      return [{ id, hash: String(rows.hash), derived: decodeCredentials(rows) }];
    } catch {
      return [];
    }
  });
}

export function listAppPasswords(db: Db): AppPassword[] {
  return db.all(
    "SELECT id, name, created, last_used, last_protocol, last_ip FROM app_passwords ORDER BY id",
  ).map(([id, name, created, lastUsed, lastProtocol, lastIp]) => ({
    id,
    name,
    created,
    lastUsed,
    lastProtocol,
    lastIp,
  }));
}

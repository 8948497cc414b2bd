/** The administrator's password, and generated ones for users. @module */
import { randomInt } from "node:crypto";
import type { Config } from "../config/mod.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { ownLikeFolder } from "../platform/users.ts";
import { preparePassword } from "../sasl/mod.ts";
import { hashPassword } from "../store/logins/password.ts";
import { AdminError } from "./errors.ts";

/** Without characters that are easily confused: 0 O, 1 l I. */
const alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** A new random password of about 94 bits. */
export function randomPassword(): string {
  return Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/**
 * Sets the administrator's password, as a hash in the configured file.
 * @throws AdminError
 */
export async function writeAdminPassword(
  config: Pick<Config, "configPath" | "static">,
  password: string,
): Promise<void> {
  const file = config.static.AdminPasswordFile;
  if (file === "") throw new AdminError("mox.conf has no AdminPasswordFile");
  const prepared = preparePassword(password);
  if (prepared.length < 8) throw new AdminError("a password has at least 8 characters");
  await writeAdminHash(config, prepared);
}

/** Replaces the hash of the administrator's password, after the password was verified. */
export async function writeAdminHash(
  config: Pick<Config, "configPath" | "static">,
  prepared: string,
): Promise<void> {
  const path = config.configPath(config.static.AdminPasswordFile);
  await writeFileAtomic(path, new TextEncoder().encode(await hashPassword(prepared)));
  ownLikeFolder(path);
}

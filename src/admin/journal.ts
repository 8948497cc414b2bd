/** Where copies of all mail of a domain go, and the key to encrypt them to. @module */
import type { Config, Dynamic } from "../config/mod.ts";
import { type EncryptionKey, KeyError, readEncryptionKey } from "../encryption/mod.ts";
import { ensureDir, removeFile, writeFileAtomic } from "../platform/files.ts";
import { parentDir } from "../platform/paths.ts";
import { ownLikeFolder } from "../platform/users.ts";
import { fileTime } from "./dkim_keys.ts";
import { domainName, requireDomain } from "./domains.ts";
import { AdminError, changing } from "./errors.ts";

export interface JournalSettings {
  /** Address of an account here, or elsewhere. */
  address: string;
  /** In the account, if it is here. */
  mailbox: string;
  /** File of the key, relative to the configuration's folder; "" for copies that are not encrypted. */
  keyFile: string;
  /** A new key in text form, to be written to a file; "" for that of `keyFile`. */
  key: string;
}

/**
 * Starts or stops keeping copies of all mail of a domain. The file of a new key is in the folder `journal` of
 * the configuration; the previous key's file stays, as there may be copies encrypted with it.
 * @throws AdminError, ConfigError
 */
export async function setJournal(
  config: Config,
  domain: string,
  settings: JournalSettings | undefined,
  now = new Date(),
): Promise<void> {
  const { ascii } = domainName(domain);
  let made: { file: string; path: string } | undefined;
  if (settings !== undefined && settings.key !== "") {
    made = await writeKey(config, ascii, settings.key, now);
  }
  try {
    await changing(() =>
      config.writeDynamic((value: Dynamic) => {
        value.Domains.get(requireDomain(value, domain))!.Journal = settings && {
          Address: settings.address,
          Mailbox: settings.mailbox || "Journal",
          KeyFile: made?.file ?? settings.keyFile,
        };
      })
    );
  } catch (err) {
    if (made !== undefined) await removeFile(made.path);
    throw err;
  }
}

/** Writes the file of a key for encrypting copies. @throws AdminError if it isn't a key */
async function writeKey(
  config: Pick<Config, "configPath">,
  domain: string,
  text: string,
  now: Date,
): Promise<{ file: string; path: string }> {
  let key: EncryptionKey;
  try {
    key = await readEncryptionKey(text, now.getTime());
  } catch (err) {
    if (err instanceof KeyError) throw new AdminError(err.message, { cause: err });
    throw err;
  }
  const file = `journal/${domain}.${fileTime(now)}.${key.info.kind === "pgp" ? "asc" : "pem"}`;
  const path = config.configPath(file);
  await ensureDir(parentDir(path));
  ownLikeFolder(parentDir(path));
  await writeFileAtomic(path, new TextEncoder().encode(`${text.trim()}\n`));
  ownLikeFolder(path);
  return { file, path };
}

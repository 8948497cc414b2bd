/**
 * Messages for an account are encrypted to its user's key before they are stored, if there is one. Anyone who
 * reads the disk or a backup, or has the account's password, can read only headers.
 *
 * @module
 */
import {
  encrypted,
  type EncryptionKey,
  isEncryptedType,
  type KeyInfo,
  readEncryptionKey,
} from "../encryption/mod.ts";
import { counter } from "../metrics/mod.ts";
import { parseMessage } from "../mail/structure/structure.ts";
import { joined } from "../platform/bytes.ts";
import { readRange, removeFile, writeTempFile } from "../platform/files.ts";
import type { Account } from "../store/account/account.ts";
import { accountSetting, changeAccountSetting } from "../store/account/settings.ts";
import type { NewMessage, SealedMessage } from "../store/types.ts";

const settingName = "encryptIncoming";
/** Most bytes of a header that are read. */
const maxHeader = 1024 * 1024;

const results = counter(
  "mox_encrypted_messages_total",
  "Messages for accounts with a key; before: encrypted by their sender.",
  { result: ["encrypted", "before"] },
);

/** The stored form. */
interface StoredKey {
  key: string;
  /** Milliseconds since the epoch. */
  set: number;
}

function stored(account: Account): StoredKey | undefined {
  const value = accountSetting(account, settingName);
  return value === undefined || value === null ? undefined : value as StoredKey;
}

/** The account's key, for display; undefined without one. @throws KeyError */
export async function encryptionKeyOf(
  account: Account,
): Promise<{ info: KeyInfo; set: number; key: string } | undefined> {
  const has = stored(account);
  if (!has) return undefined;
  const { info } = await readEncryptionKey(has.key, has.set);
  return { info, ...has };
}

/**
 * Sets the key that mail is encrypted to from now on, or removes it (undefined). Existing mail stays unchanged.
 * @throws KeyError
 */
export async function setEncryptionKey(
  account: Account,
  key: string | undefined,
  now: number,
): Promise<KeyInfo | undefined> {
  const text = key?.trim();
  const info = text === undefined ? undefined : (await readEncryptionKey(text, now)).info;
  const value: StoredKey | null = text === undefined ? null : { key: text, set: now };
  await changeAccountSetting(account, settingName, () => value);
  return info;
}

/** Parsed keys, by their text. */
const read = new Map<string, EncryptionKey>();
/** Most parsed keys kept. */
const maxRead = 100;

async function keyFor(has: StoredKey): Promise<EncryptionKey> {
  const known = read.get(has.key);
  if (known) return known;
  const key = await readEncryptionKey(has.key, has.set);
  if (read.size >= maxRead) read.clear();
  read.set(has.key, key);
  return key;
}

/**
 * Implements Account.seal. @throws KeyError, file errors: then the message is not accepted, and the sender
 * retries
 */
export async function seal(
  account: Account,
  tempDir: string,
  message: NewMessage,
): Promise<SealedMessage | undefined> {
  const has = stored(account);
  if (!has) return undefined;
  const file = await Deno.open(message.file, { read: true });
  try {
    const start = readRange(file, 0, Math.min(message.fileSize, maxHeader));
    const { root } = parseMessage(joined([start]));
    if (isEncryptedType(root)) {
      results.inc({ result: "before" });
      return undefined;
    }
    const plain = {
      size: message.fileSize,
      headerSize: Math.min(root.bodyOffset, message.fileSize),
      read: (from: number, to: number) => readRange(file, from, to),
    };
    // With the prefix of all messages being received: what a crash leaves is removed at the next start.
    const pieces = encrypted(plain, await keyFor(has), has.set);
    const made = await writeTempFile(tempDir, "smtp-sealed-", pieces);
    results.inc({ result: "encrypted" });
    return {
      message: {
        ...message,
        file: made.path,
        fileSize: made.size,
        fileSynced: true,
        // It must describe the stored file, not the received one.
        description: undefined,
        read: undefined,
      },
      remove: () => removeFile(made.path),
    };
  } finally {
    file.close();
  }
}

/** Mailboxes as a download: an archive with an mbox file or a Maildir of each. @module */
import type { MailboxId } from "../../store/ids.ts";
import { freeSpace } from "../../platform/files.ts";
import type { Account } from "../../store/account/account.ts";
import { exportFiles, type ExportFormat } from "../../store/export/export.ts";
import type { Mailbox } from "../../store/types.ts";
import { UserError } from "../http/mod.ts";
import { writeTar } from "./tar.ts";
import { writeZip } from "./zip.ts";

export type { ExportFormat };
export type ArchiveKind = "zip" | "tgz" | "tar";

/** Bytes to leave free on the disk. */
const reserve = 1e9;

/** The mailboxes to export: one with those below it, or all. */
export function exportMailboxes(account: Account, mailboxId: MailboxId | undefined): Mailbox[] {
  const all = account.mailboxes();
  const top = all.find((m) => m.id === mailboxId);
  if (mailboxId !== undefined && top === undefined) throw new UserError("this mailbox is gone");
  return top === undefined
    ? all
    : all.filter((m) => m === top || m.name.startsWith(`${top.name}/`));
}

/**
 * Refuses an export without enough disk space: tar has a file's size in front, so an mbox file is first written to disk.
 * @throws UserError
 */
export async function checkRoom(
  mailboxes: readonly Mailbox[],
  format: ExportFormat,
  kind: ArchiveKind,
  tempDir: string,
): Promise<void> {
  if (kind === "zip" || format === "maildir") return;
  const largest = mailboxes.reduce((n, m) => Math.max(n, m.size * 1.2), 0);
  if (largest + reserve > await freeSpace(tempDir)) {
    throw new UserError("there is not enough room on the server's disk: take zip, or Maildir");
  }
}

/**
 * The archive, in pieces.
 * @param tempDir for tar and tgz
 */
export function exportArchive(
  account: Account,
  mailboxes: readonly Mailbox[],
  format: ExportFormat,
  kind: ArchiveKind,
  tempDir: string,
): AsyncGenerator<Uint8Array> {
  const files = exportFiles(account, mailboxes, format);
  return kind === "zip" ? writeZip(files) : writeTar(files, { gzip: kind === "tgz", tempDir });
}

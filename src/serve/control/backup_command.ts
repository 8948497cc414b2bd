/** The backup, as a command of the administrator. @module */
import { copyConfigFiles } from "../../admin/original/config_copy.ts";
import type { Config } from "../../config/mod.ts";
import { BackupError } from "../../store/backup/copy.ts";
import { noteBackup } from "../../store/backup/last_backup.ts";
import { backupInWorker, verifyInWorker } from "../../store/backup/worker.ts";
import type { AdminCommand } from "./admin_command.ts";
import { ControlError } from "./control.ts";

/** Copies the configuration next to the data. If that fails, it only prints a warning: the data matters most. */
async function backUpConfig(
  config: Config,
  to: string,
  print: (text: string) => void,
): Promise<void> {
  try {
    const files = await copyConfigFiles(config.dir, config.dataDir, to);
    print(`${files.length} files of the configuration, with keys, in ${to}`);
  } catch (err) {
    if (!(err instanceof Deno.errors.PermissionDenied)) throw err;
    print(
      `warning: the configuration is not in the backup, as ${to} can't be made by the server's user: make that ` +
        `folder for it, or copy ${config.dir} yourself`,
    );
  }
}

export const backupCommands: Record<string, AdminCommand> = {
  async backup({ config, log }, args, print) {
    const { destination, base } = args as { destination: string; base: string };
    const start = Date.now();
    const printLine = (text: string) => print(`${text}\n`);
    const note = (ok: boolean, text: string, ended: number | null = Date.now()) =>
      noteBackup(config.dataDir, { destination, started: start, ended, ok, text });
    await note(false, "is being made", null);
    try {
      const c = await backupInWorker(
        { from: config.dataDir, to: destination, base: base === "" ? undefined : base },
        printLine,
      );
      await backUpConfig(config, `${destination}-config`, printLine);
      const faults = await verifyInWorker(destination, false, () => {});
      for (const f of faults) printLine(`warning: ${f.path}: ${f.text}`);
      const seconds = ((Date.now() - start) / 1000).toFixed(1);
      const made =
        `${c.databases} databases; ${c.linked} message files linked, ${c.copied} copied; ` +
        `${c.others} other files; ${c.bytes} bytes of messages; ${seconds} s`;
      printLine(made);
      await note(
        faults.length === 0,
        faults.length === 0 ? made : `the copy has ${faults.length} faults; ${made}`,
      );
      log.info("backup made", { destination, faults: faults.length, ...c });
      if (faults.length > 0) {
        throw new ControlError(`the copy has ${faults.length} faults, as told above`);
      }
    } catch (err) {
      if (!(err instanceof ControlError)) await note(false, (err as Error).message);
      if (err instanceof BackupError) throw new ControlError(err.message, { cause: err });
      throw err;
    }
  },
};

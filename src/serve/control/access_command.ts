/**
 * Whether the server's process can use a file or folder that a command names: it may run as another user, and see
 * other folders than a shell (a systemd unit gives it its own /tmp, and hides homes).
 *
 * @module
 */
import { join } from "node:path";
import { type AdminCommand, type Arguments, textArgument } from "./admin_command.ts";

/** Why a path can't be used; "" if it can. */
async function reading(args: Arguments): Promise<string> {
  const path = textArgument(args, "path");
  const info = await Deno.stat(path);
  if (info.dev !== args.dev || info.ino !== args.ino) return "another file has that name there";
  if (info.isDirectory) { for await (const _ of Deno.readDir(path)) break; }
  else (await Deno.open(path)).close();
  return "";
}

/** Checks for a file that the command has just created in the folder, to rule out another folder of the same name. */
async function writing(args: Arguments): Promise<string> {
  const folder = textArgument(args, "path");
  const probe = textArgument(args, "probe");
  await Deno.stat(join(folder, probe));
  const own = join(folder, `${probe}-2`);
  (await Deno.open(own, { write: true, createNew: true, mode: 0o600 })).close();
  await Deno.remove(own);
  return "";
}

export const accessCommands: Record<string, AdminCommand> = {
  async access(_context, args) {
    try {
      return await (args.probe === undefined ? reading(args) : writing(args));
    } catch (err) {
      return err instanceof Error ? err.message : String(err);
    }
  },
};

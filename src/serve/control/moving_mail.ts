/** Commands that bring the mail of many accounts. @module */
import { cyrusUsers, moveCyrus } from "../../admin/moving/cyrus.ts";
import {
  maildirsOf,
  masterLogins,
  moveByImap,
  type MovedMail,
  moveMaildirs,
  type MoveOptions,
  tableLogins,
} from "../../admin/moving/mail.ts";
import { makeResolver } from "../../dns/mod.ts";
import { ensureDir } from "../../platform/files.ts";
import { openOutbound } from "../outbound.ts";
import type { AdminCommand, AdminContext, Arguments, Print } from "./admin_command.ts";
import { textArgument } from "./admin_command.ts";
import { ControlError, type Json } from "./control.ts";

/** Warnings printed for an account. */
const maxPrinted = 20;
/** Messages between two progress lines of an account. */
const tellEvery = 1000;

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((x) => typeof x === "string") : [];
}

function printed(mail: MovedMail): string {
  const lines = mail.warnings.slice(0, maxPrinted).map((w) => `${mail.account}: warning: ${w}\n`);
  if (mail.error !== "") return lines.join("") + `${mail.account}: failed: ${mail.error}\n`;
  const there = mail.duplicates > 0 ? `, ${mail.duplicates} were there already` : "";
  const followed = mail.followed > 0 ? `, ${mail.followed} changed or removed` : "";
  return `${lines.join("")}${mail.account}: ${mail.imported} messages${there}${followed}\n`;
}

async function optionsOf(
  context: AdminContext,
  args: Arguments,
  print: Print,
  signal: AbortSignal | undefined,
): Promise<MoveOptions> {
  const tempDir = context.config.dataPath("tmp");
  await ensureDir(tempDir);
  const shares = new Map<string, number>();
  return {
    accounts: context.accounts,
    tempDir,
    signal,
    parallel: typeof args.parallel === "number" ? Math.min(20, Math.max(1, args.parallel)) : 4,
    done: (r) => print(printed(r)),
    progress(account, imported) {
      if (imported - (shares.get(account) ?? 0) < tellEvery) return;
      shares.set(account, imported);
      print(`${account}: ${imported} messages so far\n`);
    },
  };
}

/** Runs once, or repeatedly with a pause, until interrupted. */
async function repeated(
  args: Arguments,
  print: Print,
  signal: AbortSignal | undefined,
  run: () => Promise<MovedMail[]>,
): Promise<Json> {
  const pause = typeof args.again === "number" ? args.again * 1000 : 0;
  for (;;) {
    const results = await run();
    const failed = results.filter((r) => r.error !== "").length;
    const messages = results.reduce((n, r) => n + r.imported, 0);
    print(`${results.length} accounts, ${messages} messages, ${failed} accounts failed\n`);
    if (pause === 0) return { failed };
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
    signal?.throwIfAborted();
  }
}

export const movingMailCommands: Record<string, AdminCommand> = {
  async "import imap"(context, args, print, signal) {
    const { config } = context;
    const table = typeof args.table === "string" ? args.table : "";
    const logins = table !== "" ? tableLogins(config, table) : masterLogins(
      config,
      texts(args.accounts),
      {
        user: textArgument(args, "master"),
        password: textArgument(args, "password"),
        separator: typeof args.separator === "string" ? args.separator : "*",
      },
    );
    const tls = String(args.tls ?? "tls");
    if (!["tls", "starttls", "none"].includes(tls)) {
      throw new ControlError(`tls is tls, starttls or none, not ${tls}`);
    }
    const server = {
      host: textArgument(args, "host"),
      port: typeof args.port === "number" && args.port > 0 ? args.port : tls === "tls" ? 993 : 143,
      tls: tls === "tls",
      plain: tls === "none",
      follow: args.follow === true,
      outbound: openOutbound(config.static, config.dir, makeResolver()),
    };
    const o = await optionsOf(context, args, print, signal);
    return await repeated(args, print, signal, () => moveByImap(o, server, logins));
  },

  async "import cyrus"(context, args, print, signal) {
    const o = await optionsOf(context, args, print, signal);
    const look = async () => {
      const domain = typeof args.domain === "string" ? args.domain : "";
      const found = await cyrusUsers(
        context.config,
        textArgument(args, "spool"),
        domain,
        texts(args.accounts),
        signal,
      );
      for (const user of found.unknown) print(`${user}: no such account here, left out\n`);
      return found.users;
    };
    if (args.dryRun === true) {
      for (const { account, mailboxes } of await look()) {
        const names = mailboxes.map((m) => m.levels.join("/") || "Inbox");
        print(`${account}: ${names.sort().join(", ")}\n`);
      }
      return { failed: 0 };
    }
    // Mailboxes may come meanwhile.
    return await repeated(args, print, signal, async () => moveCyrus(o, await look()));
  },

  async "import maildirs"(context, args, print, signal) {
    const o = await optionsOf(context, args, print, signal);
    const folders = await maildirsOf(
      context.config,
      textArgument(args, "pattern"),
      texts(args.accounts),
    );
    return await repeated(args, print, signal, () => moveMaildirs(o, folders));
  },
};

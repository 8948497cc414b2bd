/** `config list …` and `list …`: mailing lists, their members and held messages. @module */
import * as admin from "../../admin/mod.ts";
import { ListsDatabase } from "../../lists/database.ts";
import {
  type AdminCommand,
  type AdminContext,
  type Arguments,
  textArgument,
} from "./admin_command.ts";
import { ControlError, type Json } from "./control.ts";

const texts = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((v) => typeof v === "string") : [];

/** Members printed at a time. */
const maxPrinted = 1000;

function settings(args: Arguments): admin.ListSettings {
  const given = args.settings;
  return given !== null && typeof given === "object" && !Array.isArray(given)
    ? given as admin.ListSettings
    : {};
}

/** Commands that change domains.conf alone. */
export const listConfigCommands: Record<string, AdminCommand> = {
  "list add": ({ config }, args) =>
    admin.addList(config, textArgument(args, "address"), {
      ...settings(args),
      owners: texts(args.owners),
    }),
  "list update": ({ config }, args) =>
    admin.updateList(config, textArgument(args, "address"), settings(args)),
  "list rm": ({ config }, args) => admin.removeList(config, textArgument(args, "address")),
  async "list list"({ config }, args, print) {
    const entry = config.domain(textArgument(args, "domain"));
    if (!entry) throw new ControlError(`no domain ${args.domain}`);
    for (const [localpart, l] of entry.config.Lists) {
      print(
        `${localpart}@${entry.name.unicode}: posting ${l.Posting}${
          l.Moderated ? ", moderated" : ""
        }, ` +
          `subscribing ${l.Subscribing}, archive ${l.Archive}, owners ${l.Owners.join(" ")}\n`,
      );
    }
    await Promise.resolve();
  },
};

/** Runs with the lists' database: the server's, or opened for this command. */
async function withLists<T>(
  context: AdminContext,
  run: (db: ListsDatabase) => Promise<T>,
): Promise<T> {
  if (context.lists) return await run(context.lists.db);
  const db = await ListsDatabase.open(context.config.dataDir);
  try {
    return await run(db);
  } finally {
    await db.close();
  }
}

/** Commands on the lists' database. */
export const listCommands: Record<string, AdminCommand> = {
  "list members": (context, args, print) =>
    withLists(context, async (db) => {
      const { key } = admin.listOf(context.config, textArgument(args, "address"));
      for (let after = 0;;) {
        const members = db.members.after(key, after, maxPrinted);
        for (const m of members) {
          const state = m.dead
            ? ` # gets nothing: ${m.bounceText}`
            : m.bounces > 0
            ? ` # came back on ${m.bounces} days: ${m.bounceText}`
            : "";
          print(`${m.address}${state}\n`);
        }
        if (members.length < maxPrinted) return;
        after = members.at(-1)!.id;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }),
  "list addmember": (context, args, print) =>
    withLists(context, async (db) => {
      const added = await admin.addListMembers(
        context.config,
        db,
        textArgument(args, "address"),
        texts(args.members),
        Date.now(),
      );
      print(`${added} added\n`);
    }),
  "list rmmember": (context, args) =>
    withLists(
      context,
      (db) =>
        admin.removeListMembers(
          context.config,
          db,
          textArgument(args, "address"),
          texts(args.members),
        ),
    ),
  "list resume": (context, args) =>
    withLists(context, (db) =>
      admin.resumeListMember(
        context.config,
        db,
        textArgument(args, "address"),
        textArgument(args, "member"),
      )),
  "list held": (context, args, print) =>
    withLists(context, async (db) => {
      const { key } = admin.listOf(context.config, textArgument(args, "address"));
      for (const p of db.posts.before(key, ["held"], Number.MAX_SAFE_INTEGER, maxPrinted)) {
        print(`${p.id} ${p.author} ${JSON.stringify(p.subject)}: ${p.reason}\n`);
      }
      await Promise.resolve();
    }),
  async "list decide"({ config, lists }, args) {
    if (!lists) throw new ControlError("the server has to run, as it sends what is approved");
    const list = admin.listOf(config, textArgument(args, "address"));
    const verdict = textArgument(args, "verdict");
    if (verdict !== "approve" && verdict !== "reject" && verdict !== "discard") {
      throw new ControlError(`a decision is approve, reject or discard, not ${verdict}`);
    }
    await lists.decide(list, Number(args.id), verdict);
  },
};

/** `config admintoken` and `config domain admins`: further administrators. @module */
import * as admin from "../../admin/mod.ts";
import { type AdminCommand, type Arguments, textArgument } from "./admin_command.ts";
import { ControlError, type Json } from "./control.ts";

const texts = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((v) => typeof v === "string") : [];

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export const tokenCommands: Record<string, AdminCommand> = {
  async "admintoken add"({ config }, args: Arguments, print) {
    const { token, made } = await new admin.AdminTokens(config.dataDir).add({
      name: textArgument(args, "name"),
      scopes: texts(args.scopes),
      domains: texts(args.domains),
      days: Number(args.days),
    }, (name) => config.domain(name) !== undefined);
    print(`${token}\n`);
    return { expires: day(made.expires) };
  },
  async "admintoken list"({ config }, _args, print) {
    for (const t of await new admin.AdminTokens(config.dataDir).list()) {
      const used = t.lastUsed === 0 ? "never used" : `used ${day(t.lastUsed)} from ${t.lastIp}`;
      const of = t.domains.length === 0 ? "all domains" : t.domains.join(" ");
      print(`${t.name}: ${t.scopes.join(" ")}; ${of}; until ${day(t.expires)}; ${used}\n`);
    }
  },
  async "admintoken rm"({ config }, args) {
    const name = textArgument(args, "name");
    if (!await new admin.AdminTokens(config.dataDir).remove(name)) {
      throw new ControlError(`there is no token ${name}`);
    }
  },
  async "domain admins"({ config }, args, print) {
    const domain = textArgument(args, "domain");
    if (Array.isArray(args.accounts)) {
      await admin.setDomainAdministrators(config, domain, texts(args.accounts));
    }
    const entry = config.domain(domain);
    if (entry === undefined) throw new ControlError(`no domain ${domain}`);
    for (const name of entry.config.Administrators) print(`${name}\n`);
  },
};

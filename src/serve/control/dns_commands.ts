/** `config dns …` and `config dkim …`: writing DNS records, changing DKIM keys. @module */
import * as admin from "../../admin/mod.ts";
import { makeResolver, type Resolver } from "../../dns/mod.ts";
import { Log } from "../../log/mod.ts";
import { type AdminCommand, type AdminContext, textArgument } from "./admin_command.ts";
import { ControlError } from "./control.ts";

const log = new Log("dns");

function services({ config, outbound }: AdminContext) {
  if (!outbound) throw new ControlError("the server has to run, as it writes the records");
  return { config, outbound, log };
}

const fresh = (c: AdminContext): Resolver => c.freshResolver?.() ?? makeResolver();

const day = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

export const dnsCommands: Record<string, AdminCommand> = {
  async "dns plan"(context, args, print) {
    const plan = await admin.planDnsWrite(
      context.config,
      textArgument(args, "domain"),
      fresh(context),
    );
    for (const r of plan.remove) print(`- ${admin.recordText(r)}\n`);
    for (const r of plan.add) print(`+ ${admin.recordText(r)}\n`);
    for (const r of plan.elsewhere) print(`? ${admin.recordText(r)}\n`);
    if (plan.remove.length + plan.add.length === 0) print("nothing would change\n");
  },
  async "dns write"(context, args, print, signal) {
    const s = services(context);
    const plan = await admin.planDnsWrite(
      context.config,
      textArgument(args, "domain"),
      fresh(context),
    );
    for (const r of plan.remove) print(`- ${admin.recordText(r)}\n`);
    for (const r of plan.add) print(`+ ${admin.recordText(r)}\n`);
    const late = await admin.writeDns(s, plan, () => fresh(context), signal);
    for (const r of late) print(`written, and not seen yet: ${admin.recordText(r)}\n`);
    return { late: late.length };
  },
  async "dkim rotate"(context, args, print) {
    const domain = textArgument(args, "domain");
    const { selectors } = await admin.beginDkimRotation(context.config, domain);
    print(`new keys: ${selectors.join(" ")}\n`);
    if (context.outbound) {
      const s = services(context);
      for (const n of await admin.continueDkimRotations(s, fresh(context))) {
        print(`${n.domain}: ${n.text}\n`);
        for (const l of n.lines ?? []) print(`${l}\n`);
      }
    }
  },
  async "dkim rotation"({ config }, _args, print) {
    const steps = {
      publish: "to be published",
      wait: "to be seen",
      used: "in use, the old ones still published",
    };
    const all = Object.entries(await admin.dkimRotations(config));
    for (const [domain, r] of all) {
      const why = r.problem === "" ? "" : `: ${r.problem}`;
      print(
        `${domain}: ${r.selectors.join(" ")} ${steps[r.step]} since ${day(r.since)}, for ${
          r.old.join(" ")
        }${why}\n`,
      );
    }
    if (all.length === 0) print("no keys are being changed\n");
  },
};

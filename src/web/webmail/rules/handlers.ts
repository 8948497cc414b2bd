/** What the calls about rules do. @module */
import { asMailboxId } from "../../../store/ids.ts";
import type { RuleItem, RuleProblem, RuleScript, Tried } from "../../../../webmail/api/mod.ts";
import { ruleCalls } from "../../../../webmail/api/rules.ts";
import { ScriptError } from "../../../delivery/sieve/scripts.ts";
import { Log } from "../../../log/mod.ts";
import { actionText, problemText, type SieveScript } from "../../../sieve/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { type CallHandlers, UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import type { WebmailServices } from "../services.ts";
import { RuleJobs } from "./jobs.ts";
import { readRules } from "./read.ts";
import { type Includes, runOnMessages } from "./running.ts";
import { writeRules } from "./write.ts";

/** Name of the script where none is active. */
const defaultName = "rules";
/** Messages of a try that are told of. */
const maxListed = 500;

type Services = NonNullable<WebmailServices["sieve"]>;
const log = new Log("webmail");

/** The handlers; `account` finds who calls. */
export function ruleHandlers<C>(
  state: { services: WebmailServices },
  accountOf: (ctx: C) => Account,
): CallHandlers<typeof ruleCalls, C> {
  const jobs = new RuleJobs();
  const sieve = (): Services => {
    if (!state.services.sieve) throw new UserError("there are no rules on this server");
    return state.services.sieve;
  };
  const includes = (account: Account): Includes => {
    const { db, site } = sieve();
    return {
      hostname: state.services.hostname,
      include: (name, where) =>
        where === "personal" ? db.scripts.compiled(account.name, name) : site.global(name),
    };
  };
  const nameOf = (account: Account) => sieve().db.scripts.active(account.name) ?? defaultName;
  const stored = (account: Account) => sieve().db.scripts.get(account.name, nameOf(account)) ?? "";
  const mailbox = (account: Account, id: number) => {
    const m = account.mailbox(asMailboxId(id));
    if (!m) throw missing("mailbox");
    return m;
  };

  return {
    RulesGet(_r, ctx) {
      const account = accountOf(ctx);
      const { scripts } = sieve().db;
      const name = nameOf(account);
      const text = stored(account);
      return {
        name,
        active: scripts.active(account.name) !== undefined,
        items: readRules(text).items,
        text,
        others: scripts.list(account.name).map((s) => s.name).filter((n) => n !== name),
      };
    },
    async RulesText(r, ctx) {
      const text = textOf(r.script, stored(accountOf(ctx)));
      const { problems } = await check(sieve(), text);
      return { problems, text, items: readRules(text).items };
    },
    async RulesSave(r, ctx) {
      const account = accountOf(ctx);
      const { scripts } = sieve().db;
      const text = textOf(r.script, stored(account));
      const { problems } = await check(sieve(), text);
      if (problems.length > 0) return { problems, text, items: itemsOf(r.script) };
      const name = nameOf(account);
      try {
        await scripts.put(account.name, name, text);
        await scripts.setActive(account.name, r.active ? name : "");
      } catch (err) {
        if (err instanceof ScriptError) throw new UserError(err.message, { cause: err });
        throw err;
      }
      return { problems: [], text, items: readRules(text).items };
    },
    async RulesTry(r, ctx) {
      const account = accountOf(ctx);
      const m = mailbox(account, r.mailboxId);
      const { problems, script } = await check(sieve(), textOf(r.script, stored(account)));
      if (!script) return { problems, looked: 0, tried: [] };
      const uids = account.uids(m.id).slice(-r.limit);
      const tried: Tried[] = [];
      await runOnMessages(account, m.id, uids, script, includes(account), (ran) => {
        const { result } = ran;
        const what = result.error
          ? [`fails: ${problemText(result.error)}`]
          : result.actions.filter((a) => !(a.kind === "keep" && a.implicit && !(a.flags?.length)))
            .map(actionText);
        if (what.length === 0 || tried.length >= maxListed) return;
        tried.push({
          id: ran.id,
          from: ran.from,
          subject: ran.subject,
          received: ran.received,
          what,
        });
      });
      return { problems: [], looked: uids.length, tried: tried.reverse() };
    },
    RulesApply(r, ctx) {
      const account = accountOf(ctx);
      const m = mailbox(account, r.mailboxId);
      const script = sieve().db.scripts.compiled(account.name, nameOf(account));
      if (!script || Array.isArray(script)) throw new UserError("save your rules first");
      return { job: jobs.start(account, m.id, script as SieveScript, includes(account), log) };
    },
    RulesProgress(r, ctx) {
      const { done, total, changed, finished, error } = jobs.get(accountOf(ctx).name, r.job);
      return { done, total, changed, finished, error };
    },
    RulesUndo: async (r, ctx) => ({ count: await jobs.undo(accountOf(ctx), r.job) }),
    RulesLog(r, ctx) {
      const account = accountOf(ctx);
      const { log } = sieve().db;
      if (r.id === undefined) return { entries: log.latest(account.name, 200) };
      const emailId = account.message(r.id)?.emailId;
      return { entries: emailId === undefined ? [] : log.ofEmail(account.name, emailId) };
    },
  };
}

const itemsOf = (s: RuleScript): RuleItem[] => "items" in s ? s.items : readRules(s.text).items;

/** @param before the stored script: what its parts that are no rules require is kept */
function textOf(script: RuleScript, before: string): string {
  return "items" in script ? writeRules(script.items, readRules(before).required) : script.text;
}

async function check(
  services: Services,
  text: string,
): Promise<{ problems: RuleProblem[]; script?: SieveScript }> {
  try {
    return { problems: [], script: await services.db.scripts.check(text) };
  } catch (err) {
    if (err instanceof ScriptError && err.problems.length > 0) {
      return { problems: [...err.problems] };
    }
    throw err;
  }
}

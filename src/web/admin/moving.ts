/** Moving in from another server: lists of users and aliases, and the mail of many accounts. @module */
import type { ListResult, MoveState, movingCalls } from "../../../webmail/admin/api/moving.ts";
import { carryOut, setPasswords } from "../../admin/moving/carry_out.ts";
import type { AccountMove, MoveJob, MoveState as State } from "../../admin/moving/job.ts";
import { cyrusUsers, moveCyrus } from "../../admin/moving/cyrus.ts";
import { cyrusScripts } from "../../admin/moving/cyrus_sieve.ts";
import {
  maildirsOf,
  masterLogins,
  moveByImap,
  moveMaildirs,
  type MoveOptions,
  tableLogins,
} from "../../admin/moving/mail.ts";
import type { Plan } from "../../admin/moving/plan.ts";
import { planAliases } from "../../admin/moving/plan_aliases.ts";
import { planUsers } from "../../admin/moving/plan_users.ts";
import { readPostfixMap } from "../../admin/moving/postfix_map.ts";
import { homeScripts, moveScripts } from "../../admin/moving/sieve.ts";
import { formatOf, type LineProblem, readUsers } from "../../admin/moving/users.ts";
import { ensureDir } from "../../platform/files.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, withAdminErrors } from "./options.ts";

/** Accounts of a move shown. */
const maxShown = 500;

/** What the administrator sees of a plan. */
function shown(plan: Plan, problems: readonly LineProblem[]): ListResult {
  return {
    changes: [...plan.domains.map((d) => `domain ${d}`), ...plan.changes],
    problems: [...problems, ...plan.problems].sort((a, b) => a.line - b.line),
    passwords: 0,
    notes: [],
  };
}

const order: readonly AccountMove["state"][] = ["failed", "running", "waiting", "done"];

function shownMove(state: State): MoveState {
  const counts = { waiting: 0, running: 0, done: 0, failed: 0 };
  let imported = 0;
  for (const a of state.accounts) {
    counts[a.state]++;
    imported += a.imported;
  }
  const accounts = [...state.accounts]
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state)).slice(0, maxShown);
  return { ...state, counts, imported, accounts };
}

export function movingHandlers(
  options: AdminPageOptions,
  job: MoveJob,
): CallHandlers<typeof movingCalls, PageContext> {
  const { config, accounts } = options;
  const common = async (parallel: number) => {
    const tempDir = config.dataPath("tmp");
    await ensureDir(tempDir);
    return { accounts, tempDir, parallel };
  };
  const begin = (
    what: string,
    names: readonly string[],
    again: number,
    run: (o: MoveOptions) => ReturnType<typeof moveByImap>,
    base: Awaited<ReturnType<typeof common>>,
  ) => {
    if (names.length === 0) throw new UserError("there is no account whose mail could be brought");
    job.start({
      what,
      accounts: names,
      again: again * 60_000,
      run: (more) => run({ ...base, ...more }),
    });
  };
  return {
    MoveUsers: (r) =>
      withAdminErrors(async () => {
        const read = readUsers(r.text, r.format || formatOf(r.text), r.domain);
        const plan = planUsers(config.dynamic, read.users);
        const result = shown(plan, read.problems);
        if (r.dryRun) return { ...result, passwords: plan.passwords.length };
        await carryOut(config, plan);
        result.passwords = await setPasswords(accounts, plan.passwords, {
          replace: r.replacePasswords,
          tell: (line) => result.notes.push(line),
        });
        return result;
      }),
    MoveAliases: (r) =>
      withAdminErrors(async () => {
        const read = readPostfixMap(r.text, r.domain);
        const plan = planAliases(config.dynamic, read.entries);
        if (!r.dryRun) await carryOut(config, plan);
        return shown(plan, read.problems);
      }),
    MoveByImap: (r) =>
      withAdminErrors(async () => {
        if ((r.master === "") === (r.table.trim() === "")) {
          throw new UserError("give either a master user or a table of logins");
        }
        const logins = r.master === "" ? tableLogins(config, r.table) : masterLogins(
          config,
          r.accounts,
          { user: r.master, password: r.password, separator: r.separator },
        );
        const server = {
          host: r.host.trim(),
          port: r.port || (r.tls === "tls" ? 993 : 143),
          tls: r.tls === "tls",
          plain: r.tls === "none",
          follow: r.follow,
          outbound: options.outbound,
        };
        const names = logins.map((l) => l.account);
        const run = (m: MoveOptions) => moveByImap(m, server, logins);
        begin(`by IMAP from ${server.host}`, names, r.again, run, await common(r.parallel));
        return {};
      }),
    MoveMaildirs: (r) =>
      withAdminErrors(async () => {
        const folders = await maildirsOf(config, r.pattern.trim(), r.accounts);
        const names = folders.map((f) => f.account);
        const run = (m: MoveOptions) => moveMaildirs(m, folders);
        begin(`from ${r.pattern.trim()}`, names, r.again, run, await common(r.parallel));
        return {};
      }),
    MoveCyrus: (r) =>
      withAdminErrors(async () => {
        const spool = r.spool.trim();
        const { users } = await cyrusUsers(config, spool, r.domain.trim(), r.accounts);
        const names = users.map((u) => u.account);
        const run = (m: MoveOptions) => moveCyrus(m, users);
        begin(`from ${spool}`, names, r.again, run, await common(r.parallel));
        return {};
      }),
    MoveScripts: (r) =>
      withAdminErrors(async () => {
        const [home, sievedir] = [r.home.trim(), r.sievedir.trim()];
        if ((home === "") === (sievedir === "")) {
          throw new UserError("give either homes of Dovecot or the scripts' folder of Cyrus");
        }
        if (home !== "" && !/%[und]/.test(home)) {
          throw new UserError("the path of homes needs %u, or %n and %d");
        }
        const [spool, domain] = [r.spool.trim(), r.domain.trim()];
        const source = home !== ""
          ? homeScripts(config, home, r.accounts)
          : cyrusScripts(config, { sievedir, spool, domain }, r.accounts);
        const lines: string[] = [];
        const { replace, dryRun } = r;
        const tell = (line: string) => void lines.push(line);
        const result = await moveScripts(
          { scripts: options.scripts, replace, dryRun, tell },
          source,
        );
        return { ...result, lines };
      }),
    MoveState: () => ({ move: job.state ? shownMove(job.state) : null }),
    async MoveStop() {
      await job.stop();
      return {};
    },
  };
}

/**
 * Actions and `stop` (RFC 5228 §3, §4), `:copy` (RFC 3894), refusals (RFC 5429), redirects to lists (RFC 6134)
 * and with delivery parameters (RFC 6009).
 *
 * @module
 */
import { parseIsoTime } from "../message/times.ts";
import type { Args, Checker, CommandDefinition } from "../check/definition.ts";
import { constant } from "../language/text.ts";
import { addressText, oneAddress } from "../message/addresses.ts";
import { type CommandFn, type Run, SieveRuntimeError } from "../run/run.ts";
import type { Action, Redirect } from "../run/types.ts";
import { compileFiling, filingTags } from "./filing.ts";
import { cleanFlags } from "./flags.ts";

/** Refusing a message is incompatible with keeping or answering it (RFC 5429 §2.1). */
const againstReject: readonly Action["kind"][] = [
  "keep",
  "fileinto",
  "redirect",
  "redirectToList",
  "vacation",
  "reject",
];

function checkNotRejected(run: Run, what: string): void {
  if (run.has("reject")) throw new SieveRuntimeError(`${what} can't go with refusing the message`);
}

const keep: CommandDefinition = {
  name: "keep",
  tags: { flags: filingTags.flags },
  compile(_c, args) {
    const flags = args.texts("flags")?.map((f) => f.text);
    return (run) => {
      checkNotRejected(run, "keep");
      run.trace("keep");
      run.act({
        ...run.at,
        kind: "keep",
        flags: flags ? cleanFlags(run, run.texts(flags)) : run.flags,
        edited: run.message.pieces(),
        implicit: false,
      });
      return undefined;
    };
  },
};

const fileinto: CommandDefinition = {
  name: "fileinto",
  extension: "fileinto",
  tags: { copy: { extension: "copy" }, ...filingTags },
  positional: ["string"],
  compile(checker, args) {
    const filing = compileFiling(checker, args, { at: args.positionalAt(0), text: args.string(0) });
    const copy = args.has("copy");
    return (run) => {
      checkNotRejected(run, "fileinto");
      const f = filing(run);
      run.trace(`fileinto ${JSON.stringify(f.mailbox)}${copy ? ", as a copy" : ""}`);
      run.act({ ...run.at, kind: "fileinto", filing: f, edited: run.message.pieces() });
      if (!copy) run.implicitKeep = false;
      return undefined;
    };
  },
};

const discard: CommandDefinition = {
  name: "discard",
  compile: () => (run) => {
    run.trace("discard");
    run.act({ ...run.at, kind: "discard" });
    run.implicitKeep = false;
    return undefined;
  },
};

const stopNow: CommandFn = (run) => {
  run.trace("stop");
  return "stop";
};

const stop: CommandDefinition = { name: "stop", compile: () => stopNow };

const longestReason = 20_000;

function reject(extended: boolean): CommandDefinition {
  const name = extended ? "ereject" : "reject";
  return {
    name,
    extension: name,
    positional: ["string"],
    compile(_c, args) {
      const text = args.string(0);
      return (run) => {
        if (run.has(...againstReject)) {
          throw new SieveRuntimeError(`${name} can't go with what was done before`);
        }
        run.trace(name);
        const reason = run.text(text).slice(0, longestReason);
        run.act({ ...run.at, kind: "reject", reason, extended });
        run.implicitKeep = false;
        return undefined;
      };
    },
  };
}

const notifyWords = ["NEVER", "SUCCESS", "FAILURE", "DELAY"];

/** `:notify` and `:ret` (RFC 6009 §3). */
function compileDsn(checker: Checker, args: Args): (run: Run) => Pick<Redirect, "notify" | "ret"> {
  const notify = args.text("notify");
  const ret = args.text("ret");
  const words = (s: string) => s.toUpperCase().split(",").map((w) => w.trim());
  const good = (list: string[]) =>
    list.every((w) => notifyWords.includes(w)) && (list.length === 1 || !list.includes("NEVER"));
  const isRet = (s: string) => s === "FULL" || s === "HDRS";
  const n = constant(notify);
  if (n !== undefined && !good(words(n))) {
    checker.error(
      args.tagAt("notify"),
      ":notify needs NEVER, or some of SUCCESS, FAILURE, DELAY with commas between",
    );
  }
  const r = constant(ret);
  if (r !== undefined && !isRet(r.toUpperCase())) {
    checker.error(args.tagAt("ret"), ":ret needs FULL or HDRS");
  }
  return (run) => {
    const list = notify === undefined ? undefined : words(run.text(notify));
    const which = ret === undefined ? undefined : run.text(ret).toUpperCase();
    if (list && !good(list)) {
      throw new SieveRuntimeError(":notify isn't NEVER, SUCCESS, FAILURE or DELAY");
    }
    if (which !== undefined && !isRet(which)) {
      throw new SieveRuntimeError(":ret isn't FULL or HDRS");
    }
    return { notify: list, ret: which as Redirect["ret"] };
  };
}

/** `:bytimeabsolute` and others (RFC 6009 §4). */
function compileDeliverBy(checker: Checker, args: Args): (run: Run) => Redirect["deliverBy"] {
  const absolute = args.text("bytimeabsolute");
  const relative = args.number("bytimerelative");
  const mode = args.text("bymode");
  const trace = args.has("bytrace");
  if (absolute !== undefined && relative !== undefined) {
    checker.error(
      args.tagAt("bytimerelative"),
      ":bytimeabsolute and :bytimerelative exclude each other",
    );
  }
  if (absolute === undefined && relative === undefined) {
    for (const tag of ["bymode", "bytrace"]) {
      if (args.has(tag)) {
        checker.error(
          args.tagAt(tag),
          `:${tag} needs :bytimeabsolute or :bytimerelative beside it`,
        );
      }
    }
    return () => undefined;
  }
  const time = constant(absolute);
  if (time !== undefined && parseIsoTime(time) === undefined) {
    checker.error(
      args.tagAt("bytimeabsolute"),
      ":bytimeabsolute needs a time as RFC 3339 writes it",
    );
  }
  const m = constant(mode)?.toLowerCase();
  if (m !== undefined && m !== "notify" && m !== "return") {
    checker.error(args.tagAt("bymode"), ":bymode needs notify or return");
  }
  return (run) => {
    const word = mode === undefined ? "notify" : run.text(mode).toLowerCase();
    if (word !== "notify" && word !== "return") {
      throw new SieveRuntimeError(":bymode isn't notify or return");
    }
    let seconds = relative ?? 0;
    if (absolute !== undefined) {
      const at = parseIsoTime(run.text(absolute));
      if (at === undefined) throw new SieveRuntimeError(":bytimeabsolute isn't a time");
      seconds = Math.round((at - run.context.now) / 1000);
    }
    if (word === "return" && seconds <= 0) {
      throw new SieveRuntimeError("the time to deliver by is over");
    }
    return { seconds, mode: word, trace };
  };
}

const redirect: CommandDefinition = {
  name: "redirect",
  tags: {
    copy: { extension: "copy" },
    list: { extension: "extlists" },
    notify: { takes: "string", extension: "redirect-dsn" },
    ret: { takes: "string", extension: "redirect-dsn" },
    bytimeabsolute: { takes: "string", extension: "redirect-deliverby" },
    bytimerelative: { takes: "number", extension: "redirect-deliverby" },
    bymode: { takes: "string", extension: "redirect-deliverby" },
    bytrace: { extension: "redirect-deliverby" },
  },
  positional: ["string"],
  compile(checker, args) {
    const to = args.string(0);
    const copy = args.has("copy");
    const list = args.has("list");
    const known = constant(to);
    if (known !== undefined && !list && !oneAddress(known)) {
      checker.error(
        args.positionalAt(0),
        `${JSON.stringify(known.slice(0, 200))} is no address to redirect to`,
      );
    }
    const dsn = compileDsn(checker, args);
    const deliverBy = compileDeliverBy(checker, args);
    return (run) => {
      checkNotRejected(run, "redirect");
      const text = run.text(to);
      const address = list ? undefined : oneAddress(text);
      if (!list && !address) {
        throw new SieveRuntimeError(
          `${JSON.stringify(text.slice(0, 200))} is no address to redirect to`,
        );
      }
      const redirect: Redirect = {
        address: address ? addressText(address) : "",
        ...dsn(run),
        deliverBy: deliverBy(run),
      };
      run.trace(`redirect ${text}${copy ? ", as a copy" : ""}`);
      const edited = run.message.pieces(true);
      run.act(
        list
          ? { ...run.at, kind: "redirectToList", list: text, redirect, edited }
          : { ...run.at, kind: "redirect", redirect, edited },
      );
      if (!copy) run.implicitKeep = false;
      return undefined;
    };
  },
};

export const actionCommands: readonly CommandDefinition[] = [
  keep,
  fileinto,
  redirect,
  discard,
  stop,
  reject(false),
  reject(true),
];

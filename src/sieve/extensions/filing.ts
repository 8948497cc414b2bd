/**
 * Where messages are filed: tags that `fileinto`, `keep`, and `:fcc` share (RFC 5228 §4.1, 5232, 5490, 8579,
 * 8580, 9042).
 *
 * @module
 */
import type { Args, Checker, PlacedText, Tags } from "../check/definition.ts";
import { constant, type Text } from "../language/text.ts";
import { type Run, SieveRuntimeError } from "../run/run.ts";
import type { Filing } from "../run/types.ts";
import { cleanFlags } from "./flags.ts";

export const filingTags: Tags = {
  flags: { takes: "strings", extension: "imap4flags" },
  create: { extension: "mailbox" },
  specialuse: { takes: "string", extension: "special-use" },
  mailboxid: { takes: "string", extension: "mailboxid" },
};

const longest = 1000;

/** Why a text can't name a mailbox; undefined if it can. */
export function badMailboxName(name: string): string | undefined {
  if (name === "") return "a mailbox needs a name";
  if (name.length > longest) return "the name of a mailbox is too long";
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) {
    return "the name of a mailbox can't have control characters in it";
  }
  return undefined;
}

export function checkMailboxName(checker: Checker, at: number, text: Text): void {
  const name = constant(text);
  const why = name === undefined ? undefined : badMailboxName(name);
  if (why) checker.error(at, why);
}

/** Checks the tags; returns a function that computes the filing at each run. */
export function compileFiling(
  checker: Checker,
  args: Args,
  mailbox: PlacedText,
): (run: Run) => Filing {
  checkMailboxName(checker, mailbox.at, mailbox.text);
  const flags = args.texts("flags")?.map((f) => f.text);
  const create = args.has("create");
  const use = args.text("specialuse");
  const id = args.text("mailboxid");
  const useName = constant(use);
  if (useName !== undefined && !/^\\?[\w-]+$/.test(useName)) {
    checker.error(
      args.tagAt("specialuse"),
      `${JSON.stringify(useName)} is no special use, such as "\\\\Junk"`,
    );
  }
  if (use !== undefined && id !== undefined) {
    checker.error(args.tagAt("mailboxid"), ":mailboxid and :specialuse exclude each other");
  }
  return (run) => {
    const name = run.text(mailbox.text);
    const why = badMailboxName(name);
    if (why) throw new SieveRuntimeError(why);
    return {
      mailbox: name,
      flags: flags ? cleanFlags(run, run.texts(flags)) : run.flags,
      create,
      specialUse: use === undefined ? undefined : run.text(use),
      mailboxId: id === undefined ? undefined : run.text(id),
    };
  };
}

/** RFC 8580: where a copy of a sent message goes. */
export const fccTags: Tags = {
  fcc: { takes: "string", extension: "fcc" },
  ...filingTags,
};

export function compileFcc(checker: Checker, args: Args): (run: Run) => Filing | undefined {
  const mailbox = args.text("fcc");
  if (mailbox === undefined) {
    for (const tag of Object.keys(filingTags)) {
      if (args.has(tag)) checker.error(args.tagAt(tag), `:${tag} needs :fcc beside it`);
    }
    return () => undefined;
  }
  const filing = compileFiling(checker, args, { at: args.tagAt("fcc"), text: mailbox });
  const flagged = args.has("flags");
  return (run) => {
    const f = filing(run);
    // RFC 8580 §3.1: the copy has only the flags given here.
    return flagged ? f : { ...f, flags: undefined };
  };
}

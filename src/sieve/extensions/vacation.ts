/** Vacation replies (RFC 5230, RFC 6131), with copies of them (RFC 8580). @module */
import type { CommandDefinition } from "../check/definition.ts";
import { constant } from "../language/text.ts";
import { oneAddress } from "../message/addresses.ts";
import { SieveRuntimeError } from "../run/run.ts";
import { compileFcc, fccTags } from "./filing.ts";

const day = 86_400;
/** Days between two replies to a sender. */
const defaultDays = 7;
/** The largest value of `:days` (RFC 5230 §4.1 leaves it to the server). */
const mostDays = 365;
const longestReason = 100_000;

const vacation: CommandDefinition = {
  name: "vacation",
  extension: ["vacation", "vacation-seconds"],
  tags: {
    days: { takes: "number" },
    seconds: { takes: "number", extension: "vacation-seconds" },
    subject: { takes: "string" },
    from: { takes: "string" },
    addresses: { takes: "strings" },
    mime: {},
    handle: { takes: "string" },
    ...fccTags,
  },
  positional: ["string"],
  compile(checker, args) {
    if (args.has("days") && args.has("seconds")) {
      checker.error(args.tagAt("seconds"), ":days and :seconds exclude each other");
    }
    const from = args.text("from");
    const known = constant(from);
    if (known !== undefined && !oneAddress(known)) {
      checker.error(
        args.tagAt("from"),
        `${JSON.stringify(known.slice(0, 200))} is no address to reply from`,
      );
    }
    for (const { at, text } of args.texts("addresses") ?? []) {
      const address = constant(text);
      if (address !== undefined && !oneAddress(address)) {
        checker.error(at, `${JSON.stringify(address.slice(0, 200))} is no address`);
      }
    }
    const days = Math.min(mostDays, Math.max(1, args.number("days") ?? defaultDays));
    const seconds = args.number("seconds");
    const subject = args.text("subject");
    const addresses = args.texts("addresses")?.map((t) => t.text) ?? [];
    const mime = args.has("mime");
    const handle = args.text("handle");
    const reason = args.string(0);
    const fcc = compileFcc(checker, args);
    return (run) => {
      if (run.has("vacation")) {
        throw new SieveRuntimeError("vacation can't be used twice for a message");
      }
      if (run.has("reject")) {
        throw new SieveRuntimeError("vacation can't go with refusing the message");
      }
      const sender = from === undefined ? undefined : run.text(from);
      if (sender !== undefined && !oneAddress(sender)) {
        throw new SieveRuntimeError(
          `${JSON.stringify(sender.slice(0, 200))} is no address to reply from`,
        );
      }
      const text = run.text(reason).slice(0, longestReason);
      const title = subject === undefined ? undefined : run.text(subject);
      run.trace("vacation");
      run.act({
        ...run.at,
        kind: "vacation",
        vacation: {
          days,
          seconds: seconds === undefined ? days * day : Math.min(seconds, mostDays * day),
          subject: title,
          from: sender,
          addresses: run.texts(addresses),
          mime,
          // RFC 5230 §4.2: without a handle, replies differ if their contents differ.
          handle: handle === undefined
            ? JSON.stringify([title ?? null, sender ?? null, mime, text])
            : run.text(handle),
          reason: text,
          fcc: fcc(run),
        },
      });
      return undefined;
    };
  },
};

export const vacationCommands: readonly CommandDefinition[] = [vacation];

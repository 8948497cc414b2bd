/** The test `duplicate` (RFC 7352). @module */
import type { TestDefinition } from "../check/definition.ts";
import { oneOf } from "../check/matching.ts";
import { constant } from "../language/text.ts";

const day = 86_400;
const defaultSeconds = 7 * day;
/** The longest that an id is remembered (RFC 7352 §3.2), in seconds. */
const mostSeconds = 90 * day;

const duplicate: TestDefinition = {
  name: "duplicate",
  extension: "duplicate",
  tags: {
    header: { takes: "string" },
    uniqueid: { takes: "string" },
    handle: { takes: "string" },
    seconds: { takes: "number" },
    last: {},
  },
  compile(checker, args) {
    oneOf(checker, args, ["header", "uniqueid"] as const, "kind of id");
    const header = args.text("header");
    const name = constant(header);
    if (name !== undefined && !/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
      checker.error(args.tagAt("header"), ":header needs the name of a header field");
    }
    const id = args.text("uniqueid");
    const handle = args.text("handle");
    const seconds = Math.min(mostSeconds, args.number("seconds") ?? defaultSeconds);
    const last = args.has("last");
    return (run) => {
      run.spend(10);
      const field = header === undefined ? "message-id" : run.text(header).toLowerCase();
      const value = id === undefined ? run.message.values(field)[0] : run.text(id);
      // RFC 7352 §3: a message without the field is never a duplicate.
      if (value === undefined || value === "") return false;
      const key = JSON.stringify([handle === undefined ? "" : run.text(handle), value]);
      // Within one execution it is the same message: both tests have the same result.
      const seen = run.context.seen(key);
      const known = run.remembered.some((r) => r.key === key);
      if ((!seen || last) && !known) run.remembered.push({ key, seconds });
      if (run.context.trace) run.trace(`duplicate: ${seen ? "seen before" : "not seen before"}`);
      return seen;
    };
  },
};

export const duplicateTests: readonly TestDefinition[] = [duplicate];

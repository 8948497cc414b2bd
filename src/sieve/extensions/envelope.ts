/** The test `envelope` (RFC 5228 §5.4), with the additions of RFC 6009. @module */
import type { TestDefinition } from "../check/definition.ts";
import {
  addressPartTags,
  compileAddressPart,
  compileMatcher,
  matchTags,
} from "../check/matching.ts";
import { constant } from "../language/text.ts";
import { type MailAddress, oneAddress } from "../message/addresses.ts";
import type { Run } from "../run/run.ts";
import { partOfAddress } from "./address_parts.ts";

/** Parts of the envelope, and the extension that each needs. */
const parts: Readonly<Record<string, string | undefined>> = {
  from: undefined,
  to: undefined,
  auth: undefined,
  notify: "envelope-dsn",
  orcpt: "envelope-dsn",
  ret: "envelope-dsn",
  envid: "envelope-dsn",
  bytimeabsolute: "envelope-deliverby",
  bytimerelative: "envelope-deliverby",
  bymode: "envelope-deliverby",
  bytrace: "envelope-deliverby",
};

function plainValues(run: Run, name: string): string[] {
  const { envelope } = run.context;
  const one = (v: string | undefined) => v === undefined ? [] : [v];
  switch (name) {
    case "auth":
      return one(envelope.auth);
    case "notify":
      return (envelope.notify ?? []).map((n) => n.toUpperCase());
    case "orcpt":
      return one(envelope.originalRecipient);
    case "ret":
      return one(envelope.ret?.toUpperCase());
    case "envid":
      return one(envelope.envelopeId);
    default:
      // The server doesn't accept DELIVERBY: no message has such a time.
      return [];
  }
}

/**
 * Some mail providers have assigned localparts with dots at the end, or several in a row, which no grammar
 * allows.
 */
function dotted(text: string): MailAddress | undefined {
  const [, localpart, domain] = /^([^\s()<>[\]:;@\\,"]+)@([^\s@]+)$/.exec(text) ?? [];
  if (localpart === undefined || oneAddress(`x@${domain}`) === undefined) return undefined;
  return { localpart, domain };
}

const envelope: TestDefinition = {
  name: "envelope",
  extension: "envelope",
  tags: { ...matchTags, ...addressPartTags },
  positional: ["strings", "strings"],
  compile(checker, args) {
    const names = args.strings(0);
    for (const n of names) {
      const name = constant(n.text)?.toLowerCase();
      if (name === undefined) continue;
      if (!Object.hasOwn(parts, name)) {
        checker.error(n.at, `the envelope has no part ${JSON.stringify(name.slice(0, 80))}`);
      } else if (parts[name] !== undefined && !checker.requires(parts[name])) {
        checker.error(
          n.at,
          `the part ${name} of the envelope needs require ${JSON.stringify(parts[name])}`,
        );
      }
    }
    const part = compileAddressPart(checker, args);
    const matcher = compileMatcher(checker, args, args.strings(1));
    return (run) => {
      run.spend(1);
      const values: string[] = [];
      for (const n of names) {
        const name = run.text(n.text).toLowerCase();
        if (name !== "from" && name !== "to") {
          values.push(...plainValues(run, name));
          continue;
        }
        const text = run.context.envelope[name];
        if (text === undefined) continue;
        // RFC 5228 §5.4: the null reverse path is the empty string, whatever part is requested.
        const found = text === ""
          ? undefined
          : oneAddress(text) ?? dotted(text) ?? { invalid: text };
        const v = found === undefined ? "" : partOfAddress(run, found, part);
        if (v !== undefined) values.push(v);
      }
      return matcher.any(run, values);
    };
  },
};

export const envelopeTests: readonly TestDefinition[] = [envelope];

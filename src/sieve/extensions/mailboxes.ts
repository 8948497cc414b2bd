/**
 * Tests of mailboxes: `mailboxexists`, `metadata` and others (RFC 5490), `specialuse_exists` (RFC 8579),
 * `mailboxidexists` (RFC 9042).
 *
 * @module
 */
import type { TestDefinition } from "../check/definition.ts";
import { compileMatcher, matchTags } from "../check/matching.ts";

const mailboxexists: TestDefinition = {
  name: "mailboxexists",
  extension: "mailbox",
  positional: ["strings"],
  compile(_c, args) {
    const names = args.strings(0).map((n) => n.text);
    return (run) => {
      run.spend(names.length * 5);
      return run.texts(names).every((n) => run.context.mailboxes.byName(n) !== undefined);
    };
  },
};

const mailboxidexists: TestDefinition = {
  name: "mailboxidexists",
  extension: "mailboxid",
  positional: ["strings"],
  compile(_c, args) {
    const ids = args.strings(0).map((n) => n.text);
    return (run) => {
      run.spend(ids.length * 5);
      return run.texts(ids).every((id) => run.context.mailboxes.byId(id) !== undefined);
    };
  },
};

const specialuse: TestDefinition = {
  name: "specialuse_exists",
  extension: "special-use",
  positional: ["string", "strings"],
  optionalFirst: true,
  compile(_c, args) {
    const name = args.given(0) ? args.string(0) : undefined;
    const uses = args.strings(1).map((u) => u.text);
    return (run) => {
      run.spend(uses.length * 5);
      const { mailboxes } = run.context;
      const wanted = run.texts(uses).map((u) => u.toLowerCase());
      if (name === undefined) return wanted.every((u) => mailboxes.bySpecialUse(u) !== undefined);
      const has = mailboxes.byName(run.text(name))?.specialUses.map((u) => u.toLowerCase());
      return has !== undefined && wanted.every((u) => has.includes(u));
    };
  },
};

/** @param server true for annotations of the server, otherwise of the mailbox given as first argument */
function metadata(server: boolean): TestDefinition {
  const shift = server ? 0 : 1;
  return {
    name: server ? "servermetadata" : "metadata",
    extension: server ? "servermetadata" : "mboxmetadata",
    tags: matchTags,
    positional: server ? ["string", "strings"] : ["string", "string", "strings"],
    compile(checker, args) {
      const mailbox = server ? "" : args.string(0);
      const name = args.string(shift);
      const matcher = compileMatcher(checker, args, args.strings(shift + 1));
      return (run) => {
        run.spend(5);
        const value = run.context.mailboxes.annotation(run.text(mailbox), run.text(name));
        return matcher.any(run, value === undefined ? [] : [value]);
      };
    },
  };
}

function metadataExists(server: boolean): TestDefinition {
  return {
    name: server ? "servermetadataexists" : "metadataexists",
    extension: server ? "servermetadata" : "mboxmetadata",
    positional: server ? ["strings"] : ["string", "strings"],
    compile(_c, args) {
      const mailbox = server ? "" : args.string(0);
      const names = args.strings(server ? 0 : 1).map((n) => n.text);
      return (run) => {
        run.spend(names.length * 5);
        const box = run.text(mailbox);
        return run.texts(names).every((n) =>
          run.context.mailboxes.annotation(box, n) !== undefined
        );
      };
    },
  };
}

export const mailboxTests: readonly TestDefinition[] = [
  mailboxexists,
  mailboxidexists,
  specialuse,
  metadata(false),
  metadata(true),
  metadataExists(false),
  metadataExists(true),
];

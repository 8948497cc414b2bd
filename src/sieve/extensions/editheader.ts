/** Adding and deleting header fields (RFC 5293). @module */
import { encodeWord } from "../../mail/header/encode.ts";
import type { CommandDefinition } from "../check/definition.ts";
import { compileIndex, compileMatcher, isFieldName, matchTags } from "../check/matching.ts";
import { constant } from "../language/text.ts";
import { decodedValue, type MailField, newField } from "../message/mail.ts";
import { SieveRuntimeError } from "../run/run.ts";

/** RFC 5293 §6, §7: fields that trace a message's path and prevent loops. */
const protectedFromDeleting = new Set([
  "received",
  "auto-submitted",
  "delivered-to",
  "return-path",
]);
const protectedFromAdding = new Set(["return-path", "delivered-to", "authentication-results"]);
/** Most bytes of a field's value. */
const longestValue = 2048;

/** The written value: one line for each of its lines, encoded if not printable ASCII. */
function writable(value: string): string {
  // deno-lint-ignore no-control-regex -- characters that would end the field
  const clean = value.replace(/\r?\n/g, "\r\n").replace(/\x00|\r(?!\n)/g, " ").trim();
  return clean.split("\r\n").map((line, i) =>
    (i > 0 && !/^[ \t]/.test(line) ? " " : "") + encodeWord(line)
  )
    .filter((line, i) => i === 0 || line.trim() !== "").join("\r\n");
}

const addheader: CommandDefinition = {
  name: "addheader",
  extension: "editheader",
  tags: { last: {} },
  positional: ["string", "string"],
  compile(checker, args) {
    const name = constant(args.string(0));
    if (name !== undefined && !isFieldName(name)) {
      checker.error(
        args.positionalAt(0),
        `${JSON.stringify(name.slice(0, 80))} can't be the name of a header field`,
      );
    }
    const value = constant(args.string(1));
    if (value !== undefined && value.length > longestValue) {
      checker.error(
        args.positionalAt(1),
        `the value of a header field has ${longestValue} characters at most`,
      );
    }
    if (value?.includes("\0")) {
      checker.error(args.positionalAt(1), "the value of a header field can't have a NUL in it");
    }
    const last = args.has("last");
    const [nameText, valueText] = [args.string(0), args.string(1)];
    return (run) => {
      const field = run.text(nameText);
      if (!isFieldName(field)) {
        throw new SieveRuntimeError(
          `${JSON.stringify(field.slice(0, 80))} can't be the name of a header field`,
        );
      }
      if (protectedFromAdding.has(field.toLowerCase())) {
        run.warn(`the field ${field} can't be added; it is left as it is`);
        return undefined;
      }
      const text = run.text(valueText);
      if (text.length > longestValue) {
        throw new SieveRuntimeError("the value of a header field is too long");
      }
      const added = newField(field, writable(text));
      const { fields } = run.message;
      run.spend(10 + fields.length);
      run.message.setFields(last ? [...fields, added] : [added, ...fields]);
      run.trace(`addheader ${field}`);
      return undefined;
    };
  },
};

const deleteheader: CommandDefinition = {
  name: "deleteheader",
  extension: "editheader",
  tags: { ...matchTags, index: { takes: "number" }, last: {} },
  positional: ["string", "strings"],
  // Without patterns all fields of the name are deleted.
  optionalLast: true,
  compile(checker, args) {
    const name = constant(args.string(0));
    if (name !== undefined && !isFieldName(name)) {
      checker.error(
        args.positionalAt(0),
        `${JSON.stringify(name.slice(0, 80))} can't be the name of a header field`,
      );
    }
    const index = compileIndex(checker, args);
    const matcher = compileMatcher(checker, args, args.strings(1));
    const all = !args.given(1);
    const nameText = args.string(0);
    return (run) => {
      const field = run.text(nameText).toLowerCase();
      if (!isFieldName(field)) {
        throw new SieveRuntimeError(
          `${JSON.stringify(field.slice(0, 80))} can't be the name of a header field`,
        );
      }
      if (protectedFromDeleting.has(field)) {
        run.warn(`the field ${field} can't be deleted; it is left as it is`);
        return undefined;
      }
      let found = run.message.named(field);
      run.spend(10 + found.length);
      if (index) {
        const i = index.last ? found.length - index.index : index.index - 1;
        found = i >= 0 && i < found.length ? [found[i]] : [];
      }
      if (!all) {
        const { match } = matcher;
        found = match.type === "count"
          ? (matcher.count(run, found.length) ? found : [])
          : found.filter((f) => matcher.value(run, decodedValue(f)));
      }
      const gone = new Set<MailField>(found);
      if (gone.size > 0) run.message.setFields(run.message.fields.filter((f) => !gone.has(f)));
      run.trace(`deleteheader ${field}: ${gone.size}`);
      return undefined;
    };
  },
};

export const editCommands: readonly CommandDefinition[] = [addheader, deleteheader];

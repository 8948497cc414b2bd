/**
 * Going through parts of a message and changing them (RFC 5703): `foreverypart`, `break`, `extracttext`,
 * `replace`, `enclose`.
 *
 * @module
 */
import { composeMultipart, composeText, joinMessage, textField } from "../../mail/compose.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { runBlock } from "../run/control.ts";
import type { CommandDefinition } from "../check/definition.ts";
import { type MailField, newField, splitFields } from "../message/mail.ts";
import { allParts, isReadable, readableText } from "../message/parts.ts";
import { type Run, SieveRuntimeError, type Signal } from "../run/run.ts";
import { encodeWord } from "../../mail/header/encode.ts";
import { oneAddress } from "../message/addresses.ts";
import { constant } from "../language/text.ts";
import { compileModifiers, compileTarget, modifierTags } from "./variables.ts";
import { joined } from "../../platform/bytes.ts";

const encoder = new TextEncoder();

function* iterate(
  run: Run,
  name: string,
  block: Parameters<typeof runBlock>[1],
): Generator<void, Signal | undefined> {
  const outer = run.loops[run.loops.length - 1]?.part;
  const parts = [...allParts(outer ?? run.message.root)];
  // A nested loop goes over the parts inside the outer loop's current part.
  if (outer) parts.shift();
  const { root } = run.message;
  for (const part of parts) {
    run.spend(1);
    // The message was rewritten: its parts have changed.
    if (run.message.root !== root) break;
    run.loops.push({ name, part });
    try {
      const signal = yield* runBlock(run, block);
      if (signal === undefined) continue;
      if (typeof signal === "object" && (signal.break === "" || signal.break === name)) {
        return undefined;
      }
      return signal;
    } finally {
      run.loops.pop();
    }
  }
  return undefined;
}

const foreverypart: CommandDefinition = {
  name: "foreverypart",
  extension: "foreverypart",
  tags: { name: { takes: "string" } },
  block: true,
  compile(checker, args) {
    const name = constant(args.text("name") ?? "");
    if (name === undefined) {
      checker.error(args.tagAt("name"), "the name of a loop can't have variables in it");
    }
    return (run) => iterate(run, name ?? "", args.block);
  },
};

const breakCommand: CommandDefinition = {
  name: "break",
  extension: "foreverypart",
  tags: { name: { takes: "string" } },
  compile(checker, args) {
    const name = constant(args.text("name") ?? "");
    if (checker.loops.length === 0) checker.error(args.at, "break must stand in a foreverypart");
    else if (name === undefined || name !== "" && !checker.loops.includes(name)) {
      checker.error(
        args.tagAt("name"),
        `no loop around this is named ${JSON.stringify(name ?? "")}`,
      );
    }
    return () => ({ break: name ?? "" });
  },
};

const extracttext: CommandDefinition = {
  name: "extracttext",
  extension: "extracttext",
  tags: { first: { takes: "number" }, ...modifierTags },
  positional: ["string"],
  compile(checker, args) {
    if (checker.loops.length === 0) {
      checker.error(args.at, "extracttext must stand in a foreverypart");
    }
    if (!checker.requires("variables")) {
      checker.error(args.at, 'extracttext needs require "variables"');
    }
    const name = compileTarget(checker, args, 0);
    const modify = compileModifiers(checker, args);
    const first = args.number("first");
    return (run) => {
      const part = run.loops[run.loops.length - 1]?.part;
      const isText = part !== undefined && isReadable(part);
      run.spend(isText ? (part.endOffset - part.bodyOffset) >> 6 : 1);
      let text = isText ? readableText(run.message, part, run.limits.partText) : "";
      if (first !== undefined) text = [...text.slice(0, first * 2)].slice(0, first).join("");
      run.setVariable(name, modify(run, text));
      return undefined;
    };
  },
};

function checkSize(run: Run, more: number): void {
  if (run.message.size + more > run.limits.rewritten) {
    throw new SieveRuntimeError("the message is too large to be rewritten");
  }
  run.spend(1000 + (run.message.size >> 5));
}

/** Replaces fields by name, or adds them at the end. */
function withFields(fields: readonly MailField[], changed: readonly MailField[]): MailField[] {
  const names = new Set(changed.map((f) => f.name));
  return [...fields.filter((f) => !names.has(f.name)), ...changed];
}

const subjectField = (text: string) =>
  splitFields(encoder.encode(textField("Subject", text, { smtputf8: false })))[0];
const content = (f: MailField) => f.name.startsWith("content-");

/** The new content's header, and the content. */
function newContent(text: string, mime: boolean): { fields: MailField[]; body: Uint8Array } {
  if (!mime) {
    const entity = composeText(text);
    return {
      fields: entity.fields.flatMap((f) => splitFields(encoder.encode(f))),
      body: entity.body,
    };
  }
  const bytes = encoder.encode(text.replace(/\r?\n/g, "\r\n"));
  const fields = splitFields(bytes).filter(content);
  const header = text.replace(/\r?\n/g, "\r\n").split("\r\n\r\n", 1)[0];
  const start = encoder.encode(header).length + 4;
  return { fields, body: fields.length === 0 ? bytes : bytes.slice(start) };
}

function header(fields: readonly MailField[]): Uint8Array {
  return joined([
    ...fields.map((f) =>
      f.raw[f.raw.length - 1] === 10 ? f.raw : joined([f.raw, encoder.encode("\r\n")])
    ),
    encoder.encode("\r\n"),
  ]);
}

/** Replaces a part, or the whole message, by new content. */
function replaceContent(
  run: Run,
  part: Part | undefined,
  next: ReturnType<typeof newContent>,
  extra: MailField[],
): void {
  const { message } = run;
  const { root } = message;
  const ownFields = (
    fields: readonly MailField[],
  ) => [...fields.filter((f) => !content(f)), ...next.fields];
  let bytes: Uint8Array;
  const versioned = (fields: MailField[]) =>
    fields.some((f) => f.name === "mime-version")
      ? fields
      : [...fields, newField("MIME-Version", "1.0")];
  if (part === undefined || part === root) {
    bytes = joined([header(versioned(withFields(ownFields(message.fields), extra))), next.body]);
  } else {
    const fields = ownFields(splitFields(message.read(part.headerOffset, part.bodyOffset)));
    bytes = joined([
      header(withFields(message.fields, extra)),
      message.read(root.bodyOffset, part.headerOffset),
      header(fields),
      next.body,
      message.read(part.endOffset, message.end),
    ]);
  }
  message.setMessage(bytes);
}

const replace: CommandDefinition = {
  name: "replace",
  extension: "replace",
  tags: { mime: {}, subject: { takes: "string" }, from: { takes: "string" } },
  positional: ["string"],
  compile(checker, args) {
    const [text, subject, from] = [args.string(0), args.text("subject"), args.text("from")];
    const mime = args.has("mime");
    const known = constant(from);
    if (known !== undefined && !oneAddress(known)) {
      checker.error(args.tagAt("from"), `${JSON.stringify(known)} is no address`);
    }
    return (run) => {
      const replacement = run.text(text);
      checkSize(run, replacement.length);
      const part = run.loops[run.loops.length - 1]?.part;
      const extra: MailField[] = [];
      if (part === undefined) {
        const old = run.message.values("subject")[0];
        if (subject !== undefined) {
          extra.push(subjectField(run.text(subject)));
          // RFC 5703 §5: the old value stays visible.
          if (old !== undefined) extra.push(newField("Original-Subject", encodeWord(old)));
        }
        if (from !== undefined) {
          const address = run.text(from);
          if (!oneAddress(address)) {
            throw new SieveRuntimeError(`${JSON.stringify(address.slice(0, 200))} is no address`);
          }
          const before = run.message.named("from")[0];
          extra.push(newField("From", address));
          if (before) {
            extra.push(newField("Original-From", encodeWord(run.message.values("from")[0])));
          }
        }
      }
      replaceContent(run, part, newContent(replacement, mime), extra);
      run.trace("replace");
      return undefined;
    };
  },
};

const enclose: CommandDefinition = {
  name: "enclose",
  extension: "enclose",
  tags: { subject: { takes: "string" }, headers: { takes: "strings" } },
  positional: ["string"],
  compile(_c, args) {
    const [text, subject] = [args.string(0), args.text("subject")];
    const headers = args.texts("headers")?.map((h) => h.text) ?? [];
    return (run) => {
      const words = run.text(text);
      checkSize(run, words.length);
      const { message } = run;
      const entity = composeMultipart("mixed", [
        composeText(words),
        { fields: ["Content-Type: message/rfc822\r\n"], body: message.bytes() },
      ]);
      // RFC 5703 §6: trace fields stay outside; requested fields are copied.
      const copied = new Set([
        "from",
        "to",
        "date",
        "message-id",
        ...run.texts(headers).map((h) => h.toLowerCase()),
      ]);
      const trace = new Set([
        "return-path",
        "delivered-to",
        "received",
        "authentication-results",
        "received-spf",
      ]);
      const outer = message.fields.filter((f) => trace.has(f.name) || copied.has(f.name));
      const title = subject === undefined ? message.values("subject")[0] : run.text(subject);
      const fields = [
        ...outer.filter((f) => f.name !== "subject" && !content(f)),
        ...(title === undefined ? [] : [subjectField(title)]),
        newField("MIME-Version", "1.0"),
      ];
      message.setMessage(
        joined([header(fields).slice(0, -2), joinMessage(entity.fields, entity.body)]),
      );
      run.trace("enclose");
      return undefined;
    };
  },
};

export const partCommands: readonly CommandDefinition[] = [
  foreverypart,
  breakCommand,
  extracttext,
  replace,
  enclose,
];

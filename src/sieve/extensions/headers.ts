/**
 * Tests of header fields: `header`, `address`, `exists`, and `size` (RFC 5228 §5), also of parts (RFC 5703 §4).
 *
 * @module
 */
import type { Args, Checker, PlacedText, Tags, TestDefinition } from "../check/definition.ts";
import {
  addressPartTags,
  atIndex,
  checkFieldNames,
  compileAddressPart,
  compileIndex,
  compileMatcher,
  type IndexChoice,
  indexTags,
  matchTags,
  oneOf,
} from "../check/matching.ts";
import { constant, type Text } from "../language/text.ts";
import { addressesOf, type FoundAddress } from "../message/addresses.ts";
import { decodedValue, type MailField } from "../message/mail.ts";
import { allParts, fieldPieces, partFields } from "../message/parts.ts";
import type { Matcher } from "../matching/match.ts";
import type { Run, TestFn } from "../run/run.ts";
import { partOfAddress } from "./address_parts.ts";

/** RFC 5703 §4. */
const partTags: Tags = { mime: { extension: "mime" }, anychild: { extension: "mime" } };
const pieceTags: Tags = {
  type: { extension: "mime" },
  subtype: { extension: "mime" },
  contenttype: { extension: "mime" },
  param: { takes: "strings", extension: "mime" },
};

interface Where {
  mime: boolean;
  anychild: boolean;
}

const inMessage: Where = { mime: false, anychild: false };
const pieces = ["type", "subtype", "contenttype", "param"] as const;
const besideMime = ["anychild", ...pieces];
const noTexts: readonly Text[] = [];

function compileWhere(checker: Checker, args: Args): Where {
  if (!args.tagged) return inMessage;
  if (args.has("mime")) return { mime: true, anychild: args.has("anychild") };
  for (const tag of besideMime) {
    if (args.has(tag)) checker.error(args.tagAt(tag), `:${tag} needs :mime beside it`);
  }
  return inMessage;
}

/** Lists of fields for the test: of the message, of a loop's current part, or of the parts in it. */
function fieldLists(run: Run, where: Where): (readonly MailField[])[] {
  const { message } = run;
  if (!where.mime) return [message.fields];
  const part = run.loops[run.loops.length - 1]?.part ?? message.root;
  if (!where.anychild) return [partFields(message, part)];
  const lists: (readonly MailField[])[] = [];
  for (const p of allParts(part)) {
    run.spend(2);
    lists.push(partFields(message, p));
  }
  return lists;
}

function* fieldsNamed(
  run: Run,
  where: Where,
  names: readonly Text[],
  index: IndexChoice | undefined,
) {
  for (const list of fieldLists(run, where)) {
    for (const t of names) {
      const name = run.text(t).toLowerCase();
      yield* atIndex(list.filter((f) => f.name === name), index);
    }
  }
}

/** Fields whose values are addresses (RFC 5228 §5.1, and others in common use). */
const addressFields = new Set([
  ...["from", "to", "cc", "bcc", "sender", "reply-to", "return-path"],
  ...["resent-from", "resent-to", "resent-cc", "resent-bcc", "resent-sender", "resent-reply-to"],
  ...["mail-followup-to", "mail-reply-to", "disposition-notification-to", "return-receipt-to"],
  ...["delivered-to", "envelope-to", "apparently-to", "errors-to", "abuse-reports-to"],
  ...["x-original-to", "x-original-from", "x-envelope-from", "x-envelope-to", "x-beenthere"],
  ...["x-complaints-to", "x-report-abuse-to", "x-confirm-reading-to", "read-receipt-to"],
  ...[
    "for-approval",
    "for-handling",
    "for-comment",
    "x-admin",
    "x-forwarded-to",
    "x-forwarded-for",
  ],
  ...["registered-mail-reply-requested-by", "return-receipt-requested", "author"],
]);

/** The common case: values decoded once for all tests. */
function anyValue(names: readonly PlacedText[], matcher: Matcher): TestFn {
  const known = new Array<Text>(names.length);
  for (let i = 0; i < names.length; i++) {
    const { text } = names[i];
    known[i] = typeof text === "string" ? text.toLowerCase() : text;
  }
  return valuesNamed(known, matcher);
}

function valuesNamed(known: readonly Text[], matcher: Matcher): TestFn {
  return (run) => {
    for (const n of known) {
      const name = typeof n === "string" ? n : run.text(n).toLowerCase();
      for (const v of run.message.values(name)) if (matcher.value(run, v)) return true;
    }
    return false;
  };
}

const header: TestDefinition = {
  name: "header",
  tags: { ...matchTags, ...indexTags, ...partTags, ...pieceTags },
  positional: ["strings", "strings"],
  compile(checker, args) {
    const names = args.strings(0);
    checkFieldNames(checker, names);
    const where = compileWhere(checker, args);
    const index = compileIndex(checker, args);
    const matcher = compileMatcher(checker, args, args.strings(1));
    const piece = oneOf(checker, args, pieces, "piece of the field");
    if (!where.mime && !index && matcher.match.type !== "count") return anyValue(names, matcher);
    return chosenValues(where, names, index, matcher, piece, args.texts("param"));
  },
};

/** Values of parts, or of fields by number, and their count. */
function chosenValues(
  where: Where,
  names: readonly PlacedText[],
  index: IndexChoice | undefined,
  matcher: Matcher,
  piece: typeof pieces[number] | undefined,
  parameters: readonly PlacedText[] | undefined,
): TestFn {
  const params = parameters?.map((p) => p.text) ?? noTexts;
  const texts = names.map((n) => n.text);
  const valuesOf = (run: Run, field: MailField): string[] =>
    piece === undefined ? [decodedValue(field)] : fieldPieces(
      field,
      piece === "param" ? { params: run.texts(params).map((p) => p.toLowerCase()) } : piece,
    );
  return (run) => {
    const values: string[] = [];
    for (const f of fieldsNamed(run, where, texts, index)) {
      run.spend(1);
      values.push(...valuesOf(run, f));
    }
    return matcher.any(run, values);
  };
}

const address: TestDefinition = {
  name: "address",
  tags: { ...matchTags, ...addressPartTags, ...indexTags, ...partTags },
  positional: ["strings", "strings"],
  compile(checker, args) {
    const names = args.strings(0);
    for (const n of names) {
      const name = constant(n.text);
      if (name !== undefined && !addressFields.has(name.toLowerCase())) {
        checker.error(
          n.at,
          `the field ${
            JSON.stringify(name.slice(0, 80))
          } has no addresses that the test address could look at`,
        );
      }
    }
    const where = compileWhere(checker, args);
    const part = compileAddressPart(checker, args);
    const index = compileIndex(checker, args);
    const matcher = compileMatcher(checker, args, args.strings(1));
    const texts = names.map((n) => n.text);
    return (run) => {
      const values: string[] = [];
      for (const f of fieldsNamed(run, where, texts, index)) {
        if (!addressFields.has(f.name)) continue;
        for (const found of addressesIn(run, f)) {
          const v = partOfAddress(run, found, part);
          if (v !== undefined) values.push(v);
        }
      }
      return matcher.any(run, values);
    };
  },
};

const utf8 = new TextDecoder();
const read = new WeakMap<MailField, FoundAddress[]>();

/** Addresses of a field, parsed once. */
function addressesIn(run: Run, field: MailField): FoundAddress[] {
  let list = read.get(field);
  run.spend(1);
  if (!list) {
    run.spend(field.raw.length >> 6);
    read.set(field, list = addressesOf(decodedForAddresses(field)));
  }
  return list;
}

/** Encoded words are only allowed in names: they are not decoded, as they could contain address syntax. */
function decodedForAddresses(field: MailField): string {
  return utf8.decode(field.raw).slice(field.raw.indexOf(58) + 1).replace(/\r?\n/g, "").trim();
}

const exists: TestDefinition = {
  name: "exists",
  tags: partTags,
  positional: ["strings"],
  compile(checker, args) {
    const names = args.strings(0);
    checkFieldNames(checker, names);
    const where = compileWhere(checker, args);
    return (run) => {
      run.spend(names.length);
      const lists = fieldLists(run, where);
      return names.every((text) => {
        const name = run.text(text.text).toLowerCase();
        return lists.some((l) => l.some((f) => f.name === name));
      });
    };
  },
};

const size: TestDefinition = {
  name: "size",
  tags: { over: {}, under: {} },
  positional: ["number"],
  compile(checker, args) {
    const tag = oneOf(checker, args, ["over", "under"] as const, "side");
    if (tag === undefined) checker.error(args.at, "the test size needs :over or :under");
    const limit = args.numberAt(0);
    return (run) => {
      run.spend(1);
      return tag === "over" ? run.message.size > limit : run.message.size < limit;
    };
  },
};

export const headerTests: readonly TestDefinition[] = [header, address, exists, size];

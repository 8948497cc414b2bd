/**
 * Each method, called with what its schema allows and with what it doesn't: it answers, or refuses by an error that
 * the RFCs have; nothing is a fault of the server, and the loop isn't held.
 */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import type * as v from "valibot";
import { methods } from "../../src/jmap/table.ts";
import { setLogSink } from "../../src/log/mod.ts";
import { mail } from "./messages.ts";
import { type Call, type Json, withJmap } from "./world.ts";

/** Rounds by environment, for `deno task fuzz`. */
const rounds = Number(Deno.env.get("JMAP_FUZZ_ROUNDS") ?? 12);

interface Hints {
  ids: string[];
  blobs: string[];
}

type Schema = v.GenericSchema<unknown, unknown> & {
  type: string;
  entries?: Record<string, Schema>;
  wrapped?: Schema;
  item?: Schema;
  value?: Schema;
  pipe?: Schema[];
};

/** Values of a schema, mostly. */
function valueOf(s: Schema, name: string, h: Hints): fc.Arbitrary<Json> {
  if (s.pipe && s.pipe.length > 1 && s.type === "unknown") {
    return valueOf(s.pipe[s.pipe.length - 1], name, h);
  }
  switch (s.type) {
    case "strict_object":
    case "loose_object":
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(s.entries!).map(([k, e]) => [k, valueOf(e, k, h)]),
        ),
        {
          requiredKeys: Object.entries(s.entries!).filter(([, e]) => e.type !== "optional").map((
            [k],
          ) => k),
        },
      );
    case "optional":
      return valueOf(s.wrapped!, name, h);
    case "nullable":
      return fc.option(valueOf(s.wrapped!, name, h), { nil: null, freq: 8 });
    case "array":
      return fc.array(valueOf(s.item!, name, h), { maxLength: 4 });
    case "record":
      return fc.dictionary(text(name, h), valueOf(s.value!, name, h), { maxKeys: 3 });
    case "boolean":
      return fc.boolean();
    case "number":
      return fc.oneof(fc.integer({ min: -5, max: 50 }), fc.constantFrom(0, 1, 2 ** 53 - 1, 1.5));
    case "string":
      return text(name, h);
    default:
      return objects(h);
  }
}

function text(name: string, h: Hints): fc.Arbitrary<string> {
  if (name === "accountId") return fc.constant("ann");
  if (name === "fromAccountId") return fc.constantFrom("bob", "ann", "x");
  return fc.oneof(
    fc.constantFrom(...h.ids, ...h.blobs),
    fc.constantFrom("0", "1", "5-2", "name", "receivedAt", "subject", "#a", "singleton", "size"),
    fc.constantFrom("keywords/$seen", "mailboxIds", "name", "2026-01-01T00:00:00Z", "UTF-8"),
    fc.string({ maxLength: 8, unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "toString", "\0", "a/b~0", "header:X:asText"),
  );
}

/** Objects with names that mean something to a method. */
function objects(h: Hints): fc.Arbitrary<Json> {
  const leaf = fc.oneof(text("", h), fc.boolean(), fc.integer(), fc.constant(null), fc.double());
  const names = fc.constantFrom(
    ...["operator", "conditions", "inMailbox", "text", "hasKeyword", "name", "parentId", "role"],
    ...["mailboxIds", "keywords", "subject", "from", "bodyStructure", "bodyValues", "textBody"],
    ...["addressBookIds", "calendarIds", "emails", "name/full", "start", "duration", "timeZone"],
    ...["recurrenceRules", "recurrenceOverrides", "participants", "alerts", "excluded", "media"],
    ...["partId", "blobId", "type", "subParts", "attachments", "email", "identityId", "emailId"],
    ...["envelope", "rcptTo", "mailFrom", "header:X", "receivedAt", "id", "data", "url", "keys"],
    ...[
      "keywords/$seen",
      "property",
      "isEnabled",
      "textBody",
      "data:asText",
      "header:To:asAddresses",
    ],
  );
  return fc.letrec<{ any: Json }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.dictionary(fc.oneof(names, text("", h)), tie("any"), { maxKeys: 4 }),
      fc.array(tie("any"), { maxLength: 3 }),
    ),
  })).any;
}

const known = new Set([
  ...[
    "invalidArguments",
    "invalidResultReference",
    "forbidden",
    "accountNotFound",
    "requestTooLarge",
  ],
  ...["accountNotSupportedByMethod", "accountReadOnly", "cannotCalculateChanges", "stateMismatch"],
  ...[
    "anchorNotFound",
    "unsupportedSort",
    "unsupportedFilter",
    "tooManyChanges",
    "unknownDataType",
  ],
  ...["notFound", "expandDurationTooLarge", "cannotCalculateOccurrences"],
  ...["fromAccountNotFound", "fromAccountNotSupportedByMethod", "unknownMethod"],
]);

Deno.test("each method, with arguments of its schema and with any", () =>
  withJmap(async ({ ann }) => {
    const { inbox, drafts } = await ann.roles();
    const e = await ann.import(mail({ id: "f" }));
    const blob = await ann.upload(mail({ id: "g" }));
    const [identity] = (await ann.call("Identity/get", {})).list;
    const book = (await ann.call("AddressBook/get", {})).list[0].id;
    const calendar = (await ann.call("Calendar/get", {})).list[0].id;
    const card = await ann.call("ContactCard/set", {
      create: { c: { addressBookIds: { [book]: true }, emails: { e: { address: "a@b" } } } },
    });
    const event = await ann.call("CalendarEvent/set", {
      create: {
        c: {
          calendarIds: { [calendar]: true },
          start: "2026-01-01T00:00:00",
          recurrenceRules: [{ frequency: "daily" }],
        },
      },
    });
    const made = [card.created.c.id, event.created.c.id, `${event.created.c.id}_20260102T000000`];
    const h: Hints = {
      ids: [inbox, drafts, e.id, e.threadId, identity.id, book, calendar, ...made],
      blobs: [blob, e.blobId],
    };
    const faults: string[] = [];
    setLogSink((line) => {
      if (line.includes("unhandled")) faults.push(line);
    });
    try {
      for (const m of methods) {
        const arbitrary = fc.oneof(
          { weight: 4, arbitrary: valueOf(m.args as Schema, "", h) },
          {
            weight: 1,
            arbitrary: fc.tuple(valueOf(m.args as Schema, "", h), objects(h)).map(([a, b]) => ({
              ...a,
              ...b,
            })),
          },
        );
        const all = fc.sample(arbitrary, rounds * 4);
        for (let at = 0; at < all.length; at += 48) {
          const calls = all.slice(at, at + 48).map((args, i): Call => [m.name, args, String(i)]);
          // Halves of characters are refused before any method; here they are others.
          const body = JSON.stringify({ using: ann.using, methodCalls: calls })
            .replace(/\\u[dD]([89a-fA-F])/g, "\\ue$1");
          const r = await ann.post(body);
          assert.equal(r.status, 200, `${m.name} ${r.text}`);
          for (const [name, a, id] of r.json.methodResponses) {
            if (name !== "error") continue;
            const sent = JSON.stringify(calls[Number(id)][1]);
            assert.ok(known.has(a.type), `${m.name} ${sent}: ${JSON.stringify(a)}`);
          }
        }
      }
    } finally {
      setLogSink(() => {});
    }
    assert.deepEqual(faults, []);
    // It is all there still.
    assert.equal(
      (await ann.post({ using: ann.using, methodCalls: [["Core/echo", {}, "0"]] })).status,
      200,
    );
  }));

Deno.test("any bytes as a request", () =>
  withJmap(async ({ ann }) => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"using"',
      ":",
      ",",
      "null",
      '"methodCalls"',
      "1e999",
      "\u0000",
      "\\u",
    );
    for (const text of fc.sample(fc.array(pieces, { maxLength: 30 }).map((l) => l.join("")), 60)) {
      const r = await ann.post(text);
      assert.ok(r.status === 400 || r.status === 200, text);
      if (r.status === 400) assert.match(r.json.type, /^urn:ietf:params:jmap:error:/);
    }
  }));

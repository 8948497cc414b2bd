/** Extensions, each as its RFC has it. */
import assert from "node:assert/strict";
import {
  type Action,
  compileSieve,
  parseMailto,
  SieveMail,
  SieveSyntaxError,
} from "../../src/sieve/mod.ts";
import { runScript, shortActions, type TestContext } from "./context.ts";
import { messages } from "./messages.ts";

const does = (
  script: string,
  expected: string[],
  o: TestContext = {},
  message = messages.plain,
) => {
  const r = runScript(script, message, o);
  assert.equal(r.error, undefined, script);
  assert.deepEqual(shortActions(r), expected, script);
};
const action = <K extends Action["kind"]>(
  script: string,
  kind: K,
  o: TestContext = {},
  message = messages.plain,
) => {
  const r = runScript(script, message, o);
  assert.equal(r.error, undefined, r.error?.message);
  return r.actions.find((a): a is Extract<Action, { kind: K }> => a.kind === kind)!;
};
/** The message as an action has it. */
function editedText(
  a: { edited: readonly (Uint8Array | { from: number; to: number })[] | undefined },
  message: string,
): string {
  const bytes = new TextEncoder().encode(message.replace(/\r?\n/g, "\r\n"));
  const all = (a.edited ?? [{ from: 0, to: bytes.length }]).map((p) =>
    new TextDecoder().decode(p instanceof Uint8Array ? p : bytes.subarray(p.from, p.to))
  );
  return all.join("");
}

Deno.test("special-use (RFC 8579) and mailboxid (RFC 9042)", () => {
  const mailboxes = { INBOX: { id: "F1" }, Spam: { specialUses: ["\\Junk"], id: "F2" } };
  const head = `require ["special-use", "mailboxid", "fileinto", "mailbox"]; `;
  does(`${head} if specialuse_exists "\\\\Junk" { discard; }`, ["discard"], { mailboxes });
  does(`${head} if specialuse_exists "Spam" ["\\\\junk"] { discard; }`, ["discard"], { mailboxes });
  does(`${head} if specialuse_exists "INBOX" "\\\\Junk" { discard; }`, ["keep"], { mailboxes });
  does(`${head} if mailboxidexists ["F1", "F2"] { discard; }`, ["discard"], { mailboxes });
  does(`${head} if mailboxidexists ["F1", "F9"] { discard; }`, ["keep"], { mailboxes });
  const { filing } = action(`${head} fileinto :specialuse "\\\\Junk" :create "X";`, "fileinto");
  assert.deepEqual([filing.specialUse, filing.create, filing.mailbox], ["\\Junk", true, "X"]);
  assert.equal(action(`${head} fileinto :mailboxid "F2" "X";`, "fileinto").filing.mailboxId, "F2");
});

Deno.test("metadata of mailboxes and of the server (RFC 5490)", () => {
  const mailboxes = {
    INBOX: { annotations: { "/private/x": "Yes" } },
    "": { annotations: { "/shared/admin": "smtp:root" } },
  };
  const head = `require ["mboxmetadata", "servermetadata"]; `;
  does(`${head} if metadata "INBOX" "/private/x" "yes" { discard; }`, ["discard"], { mailboxes });
  does(`${head} if metadata :contains "INBOX" "/private/none" "" { discard; }`, ["keep"], {
    mailboxes,
  });
  does(`${head} if metadataexists "INBOX" ["/private/x"] { discard; }`, ["discard"], { mailboxes });
  does(`${head} if servermetadata :matches "/shared/admin" "smtp:*" { discard; }`, ["discard"], {
    mailboxes,
  });
  does(`${head} if servermetadataexists ["/shared/admin", "/shared/x"] { discard; }`, ["keep"], {
    mailboxes,
  });
});

Deno.test("external lists (RFC 6134)", () => {
  const lists = { ":addrbook:default": ["joe@example.com"] };
  const head = `require ["extlists", "envelope", "variables"]; `;
  does(`${head} if address :list "from" ":addrbook:default" { discard; }`, ["discard"], { lists });
  does(`${head} if address :list "to" ":addrbook:default" { discard; }`, ["keep"], { lists });
  does(`${head} if valid_ext_list [":addrbook:default"] { discard; }`, ["discard"], { lists });
  does(`${head} if valid_ext_list "urn:none" { discard; }`, ["keep"], { lists });
  does(`${head} redirect :list ":addrbook:default";`, ["redirect :list :addrbook:default"], {
    lists,
  });
});

Deno.test("spamtest, spamtestplus and virustest (RFC 5235)", () => {
  const head =
    `require ["spamtestplus", "virustest", "relational", "comparator-i;ascii-numeric"]; `;
  const num = `:comparator "i;ascii-numeric"`;
  does(`${head} if spamtest :value "ge" ${num} "9" { discard; }`, ["discard"], { spamScore: 0.95 });
  does(`${head} if spamtest :value "eq" ${num} "1" { discard; }`, ["discard"], { spamScore: 0 });
  does(`${head} if spamtest :percent :value "eq" ${num} "95" { discard; }`, ["discard"], {
    spamScore: 0.95,
  });
  does(`${head} if spamtest :count "eq" ${num} "0" { discard; }`, ["discard"]);
  does(`${head} if virustest :value "eq" ${num} "5" { discard; }`, ["discard"], { virus: 5 });
  does(`${head} if virustest :value "eq" ${num} "0" { discard; }`, ["discard"]);
});

Deno.test("redirect with DSN and a time to deliver by, and the envelope's of both (RFC 6009)", () => {
  const script = `require ["redirect-dsn", "redirect-deliverby"];
redirect :notify "SUCCESS,failure" :ret "full" :bytimerelative 600 :bymode "return" :bytrace "a@example.org";`;
  assert.deepEqual(action(script, "redirect").redirect, {
    address: "a@example.org",
    notify: ["SUCCESS", "FAILURE"],
    ret: "FULL",
    deliverBy: { seconds: 600, mode: "return", trace: true },
  });
  const envelope = {
    notify: ["success", "delay"],
    ret: "hdrs" as const,
    envelopeId: "id-1",
    originalRecipient: "rfc822;me@example.com",
  };
  const head = `require ["envelope", "envelope-dsn"]; `;
  does(`${head} if envelope "notify" "DELAY" { discard; }`, ["discard"], { envelope });
  does(`${head} if envelope "ret" "HDRS" { discard; }`, ["discard"], { envelope });
  does(`${head} if envelope :matches "orcpt" "*;me@*" { discard; }`, ["discard"], { envelope });
  does(`${head} if envelope "envid" "id-1" { discard; }`, ["discard"], { envelope });
  does(`${head} if envelope "envid" "id-1" { discard; }`, ["keep"]);
});

Deno.test("vacation in seconds, with a handle and a copy (RFC 5230, 6131, 8580)", () => {
  const script = `require ["vacation-seconds", "fcc", "imap4flags", "mailbox"];
vacation :seconds 1800 :addresses ["me@example.com"] :handle "h" :fcc "Sent" :flags "\\\\Seen" :create "gone";`;
  const { vacation } = action(script, "vacation");
  assert.deepEqual([vacation.seconds, vacation.handle, vacation.reason], [1800, "h", "gone"]);
  assert.deepEqual(vacation.fcc, {
    mailbox: "Sent",
    flags: ["\\Seen"],
    create: true,
    specialUse: undefined,
    mailboxId: undefined,
  });
  assert.equal(
    action(`require "vacation"; vacation :days 1000 "x";`, "vacation").vacation.days,
    365,
  );
  assert.equal(action(`require "vacation"; vacation :days 0 "x";`, "vacation").vacation.days, 1);
});

Deno.test("duplicate remembers once the message is delivered (RFC 7352)", () => {
  const script = `require "duplicate"; if duplicate :seconds 60 { discard; }`;
  const first = runScript(script, messages.plain);
  assert.deepEqual(first.remembered, [{ key: `["","<1@x>"]`, seconds: 60 }]);
  const second = runScript(script, messages.plain, { seen: first.remembered.map((r) => r.key) });
  assert.deepEqual([shortActions(second), second.remembered], [["discard"], []]);
  const last = runScript(script.replace("duplicate :", "duplicate :last :"), messages.plain, {
    seen: [`["","<1@x>"]`],
  });
  assert.equal(last.remembered.length, 1);
  // Without the field nothing is a duplicate.
  assert.deepEqual(runScript(script, messages.nothing).remembered, []);
  const handle = runScript(
    `require "duplicate"; if duplicate :handle "a" :uniqueid "b" { keep; }`,
    messages.plain,
  );
  assert.equal(handle.remembered[0].key, `["a","b"]`);
});

Deno.test("header fields are added and taken out of what is filed (RFC 5293)", () => {
  const script = `require ["editheader", "fileinto", "copy"]; fileinto :copy "before";
addheader "X-First" "äö"; addheader :last "X-Last" "b"; deleteheader "message-id"; keep;`;
  const r = runScript(script, messages.plain);
  const [before, kept] = r.actions as Extract<Action, { kind: "keep" }>[];
  assert.equal(before.edited, undefined);
  const text = editedText(kept, messages.plain);
  assert.ok(text.startsWith("X-First: =?utf-8?b?w6TDtg==?=\r\nFrom: "), text);
  assert.ok(text.endsWith("X-Last: b\r\n\r\nbody\r\n"), text);
  assert.ok(!/message-id/i.test(text));
});

Deno.test("a value can't start another field", () => {
  const r = runScript(
    `require ["editheader", "variables", "encoded-character"]; addheader "X" "a\${hex:0d 0a}Bcc: x@y.example\${hex:0d 0a 0d 0a}body";`,
    messages.plain,
  );
  const text = editedText(r.actions[0] as Extract<Action, { kind: "keep" }>, messages.plain);
  assert.ok(text.startsWith("X: a\r\n Bcc: x@y.example\r\n body\r\nFrom:"), text);
});

Deno.test("parts are replaced, and messages enclosed (RFC 5703)", () => {
  const head = `require ["foreverypart", "mime", "replace", "enclose"]; `;
  const replaced = action(
    `${head} foreverypart { if header :mime :contenttype "content-type" "application/octet-stream" { replace "taken out"; } } keep;`,
    "keep",
    {},
    messages.mime,
  );
  const text = editedText(replaced, messages.mime);
  assert.ok(
    text.includes(
      "--outer\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\ntaken out\r\n--outer",
    ),
    text,
  );
  assert.ok(!text.includes("c2VjcmV0"));
  const enclosed = action(`${head} enclose :subject "Warning" "Look out!"; keep;`, "keep");
  const mail = new SieveMail(memory(editedText(enclosed, messages.plain)));
  assert.deepEqual(mail.values("subject"), ["Warning"]);
  assert.equal(mail.root.parts.length, 2);
  assert.equal(mail.root.parts[1].type, "message");
  const whole = action(
    `${head} replace :subject "New" :from "new@example.org" "all new"; keep;`,
    "keep",
  );
  assert.match(
    editedText(whole, messages.plain),
    /Subject: New\r\n[^]*Original-Subject: hello\r\n[^]*\r\n\r\nall new/,
  );
});

function memory(text: string) {
  const bytes = new TextEncoder().encode(text);
  return {
    prefix: new Uint8Array(0),
    size: bytes.length,
    read: (a: number, b: number) => bytes.slice(a, b),
  };
}

Deno.test("scripts share global variables, and return (RFC 6609)", () => {
  const scripts = {
    "personal/one":
      `require ["include", "variables"]; global "g"; set "g" "shared"; set "own" "x"; return; set "g" "late";`,
    "global/two": `require ["include", "fileinto", "variables"]; fileinto "\${global.g}\${own}";`,
  };
  const head = `require ["include", "variables"]; `;
  does(`${head} include "one"; include :global "two";`, ["fileinto shared"], { scripts });
  does(`${head} include :optional "none";`, ["keep"], { scripts });
  does(
    `${head} include :once "one"; include :once "one"; set "global.g" "z"; include :global "two";`,
    ["fileinto z"],
    { scripts },
  );
  assert.match(
    runScript(`${head} include "none";`, messages.plain).error!.message,
    /no personal script/,
  );
});

Deno.test("with :once a script that includes itself is left out, which is no error (RFC 6609 §3.2)", () => {
  const scripts = {
    a: `require "include"; include "b";`,
    b: `require ["include", "fileinto"]; fileinto "b"; include :once "a"; fileinto "after";`,
  };
  does(`require "include"; include "a";`, ["fileinto b", "fileinto after"], { scripts });
  const r = runScript(`require "include"; include "a";`, messages.plain, {
    scripts: { a: `require "include"; include "a";` },
  });
  assert.match(r.error!.message, /includes itself/);
});

Deno.test("extensions that change what a script means are not enabled by ihave (RFC 5463 §4)", () => {
  for (const name of ["variables", "encoded-character"]) {
    does(`require "ihave"; if ihave "${name}" { discard; }`, ["keep"]);
    does(`require "ihave"; if ihave ["fileinto", "${name}"] { discard; }`, ["keep"]);
    does(`require ["ihave", "fileinto"]; if not ihave "${name}" { fileinto "\${x}"; }`, [
      "fileinto \${x}",
    ]);
  }
});

Deno.test("body: nothing without an empty line, containers without boundaries and headers (RFC 5173)", () => {
  const is = (test: string, expected: boolean, message: string) =>
    does(
      `require "body"; if body ${test} { discard; }`,
      [expected ? "discard" : "keep"],
      {},
      message,
    );
  const headerOnly = "Subject: x\n";
  for (const how of [":raw", ":text", ':content "text"']) {
    is(`${how} :contains ""`, false, headerOnly);
    is(`${how} :matches "*"`, false, headerOnly);
    is(`${how} :is ""`, true, `${headerOnly}\n`);
  }
  const nested = `Content-Type: multipart/mixed; boundary=outer

before
--outer
Content-Type: multipart/alternative; boundary=inner

between
--inner
Content-Type: application/xhtml+xml

<p>xhtml <b>words</b></p>
--inner--
behind
--outer
Content-Type: message/rfc822

From: else@x.example
Subject: a long
 one

the inner text
--outer
Content-Type: text/plain
Content-Transfer-Encoding: unheard-of

sealed
--outer--
after
`;
  for (const word of ["before", "between", "behind", "after"]) {
    is(`:content "multipart" :contains "${word}"`, true, nested);
  }
  is(`:content "multipart" :contains ["--inner", "--outer", "words"]`, false, nested);
  is(
    `:content "message/rfc822" :is "From: else@x.example\r\nSubject: a long\r\n one\r\n"`,
    true,
    nested,
  );
  is(`:text :contains "xhtml words"`, true, nested);
  // What can't be decoded is octets (RFC 2045 §6.4).
  is(`:text :contains "sealed"`, false, nested);
  is(`:raw :contains "sealed"`, true, nested);
});

Deno.test("extracttext takes the words of HTML, and nothing of what can't be decoded (RFC 5703 §7)", () => {
  const part = (header: string, body: string) => `Content-Type: ${header}\n\n${body}\n`;
  const script = `require ["foreverypart", "extracttext", "variables", "fileinto"];
foreverypart { extracttext "t"; } fileinto "${"<${t}>"}";`;
  does(script, ["fileinto <a b>"], {}, part("text/html", "<p>a <i>b</i></p>").trimEnd());
  does(script, ["fileinto <>"], {}, part("text/plain\nContent-Transfer-Encoding: x-odd", "a"));
});

Deno.test("localparts with dots at their ends have parts too, in the envelope", () => {
  for (const to of [".a@x.example", "a.@x.example", "a..b@x.example"]) {
    const local = to.split("@")[0];
    does(`require "envelope"; if envelope :localpart "to" "${local}" { discard; }`, ["discard"], {
      envelope: { to },
    });
  }
  does(`require "envelope"; if envelope :domain "to" "x.example" { discard; }`, ["keep"], {
    envelope: { to: "a b..c@x.example" },
  });
});

Deno.test("a header field's control characters are encoded, a NUL is refused (RFC 5293 §4)", () => {
  const head = `require ["editheader", "encoded-character", "fileinto"];`;
  const a = action(`${head} addheader "X-Bell" "ring\${hex:07}"; fileinto "x";`, "fileinto");
  assert.match(editedText(a, messages.plain), /^X-Bell: =\?utf-8\?b\?cmluZwc=\?=\r\n/);
  does(
    `${head} addheader "X-Bell" "ring\${hex:07}"; if header "X-Bell" "ring\${hex:07}" { discard; }`,
    ["discard"],
  );
  assert.throws(() => compileSieve(`${head} addheader "X-Nul" "a\${hex:00}";`), /NUL/);
});

Deno.test("notifications (RFC 5435, 5436)", () => {
  const script = `require ["enotify", "variables"]; set :encodeurl "b" "a b&c";
notify :from "me@example.com" :importance "1" :message "hi" "mailto:a@example.org,b@example.org?subject=x&body=\${b}";`;
  assert.deepEqual(action(script, "notify").notification, {
    method: "mailto:a@example.org,b@example.org?subject=x&body=a%20b%26c",
    from: "me@example.com",
    importance: 1,
    options: [],
    message: "hi",
    fcc: undefined,
  });
  for (
    const bad of [
      "xmpp:a@b.example",
      "mailto:",
      "mailto:nobody",
      "a@b.example",
      "mailto:a@b.example?x",
      "mailto:a@b.example%2Cnobody",
      "mailto:a%ZZ@b.example",
    ]
  ) {
    assert.throws(() => compileSieve(`require "enotify"; notify "${bad}";`), SieveSyntaxError, bad);
    does(`require "enotify"; if valid_notify_method "${bad}" { discard; }`, ["keep"]);
  }
});

Deno.test("addresses of a method with encoded commas (RFC 2368), and options (RFC 5435 §3.5)", () => {
  const to = (uri: string) => {
    const parsed = parseMailto(uri);
    assert.ok(typeof parsed === "object", uri);
    return [...parsed.to, ...parsed.cc];
  };
  const three = ["a@x.example", "b@x.example", "c@x.example"];
  assert.deepEqual(to("mailto:a@x.example%2cb@x.example,c@x.example"), three);
  assert.deepEqual(to("mailto:a@x.example?cc=b@x.example%2C%20c@x.example"), three);
  assert.deepEqual(to("mailto:a@x.example,A@x.example"), ["a@x.example"]);
  assert.deepEqual(to("mailto:%22one%2Ctwo%22@x.example"), ['"one,two"@x.example']);
  const notify = (option: string) =>
    compileSieve(`require "enotify"; notify :options ${option} "mailto:a@x.example";`);
  for (const good of ['"a=b"', '["a.b-c_1=", "x=y z"]']) notify(good);
  for (const bad of ['""', '"frop"', '"_a=b"', '"=a"', '"a=b\nc"']) {
    assert.throws(() => notify(bad), /isn't NAME=VALUE/, bad);
  }
});

Deno.test("the environment (RFC 5183)", () => {
  const environment = { name: "mox", "remote-ip": "192.0.2.1" };
  does(`require "environment"; if environment "name" "mox" { discard; }`, ["discard"], {
    environment,
  });
  does(`require "environment"; if environment :matches "remote-ip" "192.0.2.*" { discard; }`, [
    "discard",
  ], { environment });
  does(`require "environment"; if environment :contains "nosuch" "" { discard; }`, ["keep"], {
    environment,
  });
});

Deno.test("comparators beyond ASCII (RFC 5051)", () => {
  const head = `require "comparator-i;unicode-casemap"; `;
  const c = `:comparator "i;unicode-casemap"`;
  does(
    `${head} if header ${c} "subject" "GRÜSSE AUS KÖLN" { discard; }`,
    ["keep"],
    {},
    messages.mime,
  );
  does(
    `${head} if header ${c} "subject" "GRÜßE aus KÖLN" { discard; }`,
    ["discard"],
    {},
    messages.mime,
  );
  does(
    `${head} if header ${c} :contains "subject" "köln" { discard; }`,
    ["discard"],
    {},
    messages.mime,
  );
  does(
    `${head} if header ${c} :matches "subject" "gr?ße * KÖ*" { discard; }`,
    ["discard"],
    {},
    messages.mime,
  );
});

Deno.test("the null reverse path is empty, whatever part is asked for (RFC 5228 §5.4)", () => {
  const envelope = { from: "" };
  for (const part of [":all", ":localpart", ":domain"]) {
    does(`require "envelope"; if envelope ${part} "from" "" { discard; }`, ["discard"], {
      envelope,
    });
  }
});

Deno.test("what needs an extension that isn't here isn't looked at (RFC 5463)", () => {
  does(`require "ihave"; if ihave "vnd.none" { nosuch :tag "x"; }`, ["keep"]);
  does(`require "ihave"; if not ihave "vnd.none" { discard; } else { nosuch; }`, ["discard"]);
  does(`require "ihave"; if allof (ihave "vnd.none", nosuch "x") { discard; }`, ["keep"]);
  does(`require "ihave"; if anyof (not ihave "vnd.none", nosuch "x") { discard; }`, ["discard"]);
  const r = runScript(`require "ihave"; error "no more";`, messages.plain);
  assert.equal(r.error?.message, "no more");
});

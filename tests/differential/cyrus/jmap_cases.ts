/** Calls of the JMAP comparison, some five hundred. @module */

/** Ids of a server by what they are called: "mailbox:Alpha", "email:m1@example.org". */
export type Ids = (label: string) => string;

export interface JmapCase {
  name: string;
  method: string;
  args: (ids: Ids) => Record<string, unknown>;
  /** More calls of the same request; the last one's answer is compared. */
  before?: [string, Record<string, unknown>, string][];
}

const plain = (name: string, method: string, args: Record<string, unknown> = {}): JmapCase => ({
  name,
  method,
  args: () => args,
});

type Filter = (ids: Ids) => Record<string, unknown>;

function filters(): [string, Filter][] {
  const list: [string, Filter][] = [["none", () => ({})]];
  const add = (name: string, f: Filter) => list.push([name, f]);
  for (const m of ["Alpha", "Beta", "Gamma"]) {
    add(`inMailbox ${m}`, (ids) => ({ inMailbox: ids(`mailbox:${m}`) }));
    add(`inMailboxOtherThan ${m}`, (ids) => ({ inMailboxOtherThan: [ids(`mailbox:${m}`)] }));
  }
  for (const day of ["2027-04-05", "2027-04-20", "2027-05-01"]) {
    add(`before ${day}`, () => ({ before: `${day}T00:00:00Z` }));
    add(`after ${day}`, () => ({ after: `${day}T00:00:00Z` }));
  }
  for (const size of [300, 450, 600, 10_000]) {
    add(`minSize ${size}`, () => ({ minSize: size }));
    add(`maxSize ${size}`, () => ({ maxSize: size }));
  }
  for (const k of ["$seen", "$flagged", "$answered", "project", "unknown"]) {
    for (
      const f of [
        "hasKeyword",
        "notKeyword",
        "allInThreadHaveKeyword",
        "someInThreadHaveKeyword",
        "noneInThreadHaveKeyword",
      ]
    ) add(`${f} ${k}`, () => ({ [f]: k }));
  }
  add("hasAttachment", () => ({ hasAttachment: true }));
  add("no attachment", () => ({ hasAttachment: false }));
  const texts: [string, string[]][] = [
    ["from", ["ada", "example.com", "Björn", "babbage"]],
    ["to", ["dora", "charles"]],
    ["cc", ["ada@example.org", "bjorn"]],
    ["subject", ["lunch", "report", "Grüße", "invoice"]],
    ["body", ["lunch", "Grüße", "attached"]],
    ["text", ["lunch", "berlin", "dora"]],
  ];
  for (const [name, words] of texts) {
    for (const w of words) add(`${name} ${w}`, () => ({ [name]: w }));
  }
  for (const h of [["X-Priority"], ["x-priority", "1"], ["List-Id", "list"], ["X-None"]]) {
    add(`header ${h}`, () => ({ header: h }));
  }
  const both = [{ hasKeyword: "$seen" }, { hasKeyword: "$flagged" }];
  for (const operator of ["AND", "OR", "NOT"]) {
    add(`${operator} of two`, () => ({ operator, conditions: both }));
    add(`${operator} of one`, () => ({ operator, conditions: both.slice(1) }));
  }
  add("two in one", () => ({ hasKeyword: "$seen", notKeyword: "$flagged" }));
  add("NOT within AND", (ids) => ({
    operator: "AND",
    conditions: [{ inMailbox: ids("mailbox:Alpha") }, { operator: "NOT", conditions: both }],
  }));
  return list;
}

const sorts: [string, Record<string, unknown>[]][] = [
  ["receivedAt", [{ property: "receivedAt" }]],
  ["receivedAt, newest first", [{ property: "receivedAt", isAscending: false }]],
  ["sentAt", [{ property: "sentAt" }]],
  ["size", [{ property: "size" }, { property: "receivedAt" }]],
  ["subject", [{ property: "subject" }, { property: "receivedAt" }]],
  ["from", [{ property: "from" }, { property: "receivedAt" }]],
  ["to", [{ property: "to" }, { property: "receivedAt" }]],
  ["seen", [{ property: "hasKeyword", keyword: "$seen" }, { property: "receivedAt" }]],
  ["seen in thread", [
    { property: "someInThreadHaveKeyword", keyword: "$seen", isAscending: false },
    { property: "receivedAt" },
  ]],
];

const newest = [{ property: "receivedAt", isAscending: false }];

function queries(): JmapCase[] {
  const list: JmapCase[] = [];
  for (const [name, filter] of filters()) {
    for (const collapseThreads of [false, true]) {
      list.push({
        name: `Email/query ${name}${collapseThreads ? ", threads" : ""}`,
        method: "Email/query",
        args: (ids) => ({
          filter: filter(ids),
          sort: newest,
          collapseThreads,
          calculateTotal: true,
        }),
      });
    }
  }
  for (const [name, sort] of sorts) {
    for (const collapseThreads of [false, true]) {
      list.push({
        name: `Email/query by ${name}${collapseThreads ? ", threads" : ""}`,
        method: "Email/query",
        args: (ids) => ({ filter: { inMailbox: ids("mailbox:Alpha") }, sort, collapseThreads }),
      });
    }
  }
  for (
    const part of [
      { position: 5, limit: 5 },
      { position: -5 },
      { position: -100, limit: 3 },
      { position: 1000 },
      { limit: 0, calculateTotal: true },
      { limit: 1, calculateTotal: true },
    ]
  ) {
    list.push(
      plain(`Email/query ${JSON.stringify(part)}`, "Email/query", { sort: newest, ...part }),
    );
  }
  for (const anchorOffset of [0, 3, -3, -100, 100]) {
    list.push({
      name: `Email/query anchor ${anchorOffset}`,
      method: "Email/query",
      args: (ids) => ({
        sort: newest,
        anchor: ids("email:m20@example.org"),
        anchorOffset,
        limit: 4,
      }),
    });
  }
  list.push(
    plain("Email/query anchor of nothing", "Email/query", { anchor: "Mnothing", sort: newest }),
  );
  return list;
}

const headers = [
  "header:subject",
  "header:subject:asText",
  "header:Subject:asRaw",
  "header:from:asAddresses",
  "header:to:asGroupedAddresses",
  "header:reply-to:asGroupedAddresses",
  "header:Message-ID:asMessageIds",
  "header:References:asMessageIds",
  "header:Date:asDate",
  "header:List-Post:asURLs",
  "header:X-Twice",
  "header:X-Twice:all",
  "header:X-Twice:asText:all",
  "header:X-None",
  "header:X-None:all",
  "header:X-Priority:asText",
];
const wrongHeaders = [
  "header:from:asText:asText",
  "header:",
  "header:from:asNothing",
  "header:x:all:asText",
];

function gets(): JmapCase[] {
  const list: JmapCase[] = [];
  const fields = [
    "from",
    "to",
    "cc",
    "bcc",
    "replyTo",
    "sender",
    "subject",
    "sentAt",
    "receivedAt",
    "size",
    "keywords",
    "mailboxIds",
    "threadId",
    "messageId",
    "inReplyTo",
    "references",
    "hasAttachment",
    "id",
  ];
  for (let n = 0; n < 40; n++) {
    const ids = (i: Ids) => [i(`email:m${n}@example.org`)];
    list.push(
      {
        name: `Email/get ${n}`,
        method: "Email/get",
        args: (i) => ({ ids: ids(i), properties: fields }),
      },
      {
        name: `Email/get ${n}, body`,
        method: "Email/get",
        args: (i) => ({
          ids: ids(i),
          properties: ["bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues"],
          bodyProperties: ["type", "charset", "disposition", "cid", "name", "size", "subParts"],
          fetchAllBodyValues: true,
        }),
      },
    );
  }
  const some = (i: Ids) => [0, 6, 7, 14, 30].map((n) => i(`email:m${n}@example.org`));
  for (const h of headers) {
    list.push({
      name: `Email/get ${h}`,
      method: "Email/get",
      args: (i) => ({ ids: some(i), properties: [h] }),
    });
  }
  for (const h of [...wrongHeaders, "nothing", "header:from:asDate"]) {
    list.push({
      name: `Email/get ${h}`,
      method: "Email/get",
      args: (i) => ({ ids: some(i), properties: [h] }),
    });
  }
  for (const max of [1, 5, 10, 26, 1000]) {
    list.push({
      name: `Email/get maxBodyValueBytes ${max}`,
      method: "Email/get",
      args: (i) => ({
        ids: [i("email:m2@example.org")],
        properties: ["bodyValues"],
        fetchTextBodyValues: true,
        maxBodyValueBytes: max,
      }),
    });
  }
  for (const id of ["nothing", "", "Mxyz"]) {
    list.push(plain(`Email/get of ${id}`, "Email/get", { ids: [id] }));
  }
  list.push(
    plain("Email/get of none", "Email/get", { ids: [] }),
    {
      name: "Email/get twice",
      method: "Email/get",
      args: (i) => ({
        ids: [i("email:m1@example.org"), i("email:m1@example.org")],
        properties: ["subject"],
      }),
    },
  );
  for (let n = 0; n < 40; n += 8) {
    list.push({
      name: `Thread/get ${n}`,
      method: "Thread/get",
      args: (i) => ({ ids: [i(`thread:m${n}@example.org`)] }),
    });
  }
  const counts = [
    "name",
    "totalEmails",
    "unreadEmails",
    "totalThreads",
    "unreadThreads",
    "parentId",
  ];
  for (const m of ["Alpha", "Beta", "Gamma", "Below"]) {
    list.push({
      name: `Mailbox/get ${m}`,
      method: "Mailbox/get",
      args: (i) => ({ ids: [i(`mailbox:${m}`)], properties: counts }),
    });
  }
  for (
    const [name, filter] of Object.entries({
      "by name": { name: "eta" },
      "with a role": { hasAnyRole: true },
      "of the top": { parentId: null },
      "inbox": { role: "inbox" },
    })
  ) {
    list.push(
      plain(`Mailbox/query ${name}`, "Mailbox/query", { filter, sort: [{ property: "name" }] }),
    );
  }
  list.push(
    {
      name: "Mailbox/query children",
      method: "Mailbox/query",
      args: (i) => ({ filter: { parentId: i("mailbox:Alpha") }, sort: [{ property: "name" }] }),
    },
    {
      name: "SearchSnippet/get",
      method: "SearchSnippet/get",
      args: (i) => ({ filter: { subject: "lunch" }, emailIds: [i("email:m0@example.org")] }),
    },
  );
  return list;
}

function mistakes(): JmapCase[] {
  const list: JmapCase[] = [
    plain("no such method", "Email/nothing"),
    plain("Core/echo", "Core/echo", { hello: [1, { a: null }] }),
  ];
  const types = ["Email", "Mailbox", "Thread", "Identity", "EmailSubmission", "VacationResponse"];
  for (const type of types) {
    list.push(
      plain(`${type}/get ids of text`, `${type}/get`, { ids: "x" }),
      plain(`${type}/get ids of numbers`, `${type}/get`, { ids: [1] }),
      plain(`${type}/get unknown property`, `${type}/get`, { ids: [], properties: ["nothing"] }),
      plain(`${type}/get properties of text`, `${type}/get`, { ids: [], properties: "id" }),
      plain(`${type}/get unknown argument`, `${type}/get`, { ids: [], nothing: 1 }),
      plain(`${type}/get another account`, `${type}/get`, { accountId: "nobody", ids: [] }),
      plain(`${type}/get account of a number`, `${type}/get`, { accountId: 1, ids: [] }),
      plain(`${type}/get reference to nothing`, `${type}/get`, {
        "#ids": { resultOf: "none", name: "Email/query", path: "/ids" },
      }),
      plain(`${type}/get both ids`, `${type}/get`, {
        ids: [],
        "#ids": { resultOf: "none", name: "Email/query", path: "/ids" },
      }),
    );
  }
  for (const type of ["Email", "Mailbox", "Thread", "EmailSubmission"]) {
    list.push(
      plain(`${type}/changes without a state`, `${type}/changes`),
      plain(`${type}/changes of a number`, `${type}/changes`, { sinceState: 1 }),
      plain(`${type}/changes of nothing`, `${type}/changes`, { sinceState: "nothing" }),
    );
  }
  for (const type of ["Email", "Mailbox", "EmailSubmission"]) {
    list.push(
      plain(`${type}/query filter of a text`, `${type}/query`, { filter: "x" }),
      plain(`${type}/query unknown filter`, `${type}/query`, { filter: { nothing: 1 } }),
      plain(`${type}/query unknown operator`, `${type}/query`, {
        filter: { operator: "XOR", conditions: [] },
      }),
      plain(`${type}/query unknown sort`, `${type}/query`, { sort: [{ property: "nothing" }] }),
      plain(`${type}/query sort of a text`, `${type}/query`, { sort: "x" }),
      plain(`${type}/query limit below nothing`, `${type}/query`, { limit: -1 }),
      plain(`${type}/query limit of a text`, `${type}/query`, { limit: "x" }),
      plain(`${type}/query position of a text`, `${type}/query`, { position: "x" }),
      plain(`${type}/queryChanges of nothing`, `${type}/queryChanges`, {
        sinceQueryState: "nothing",
      }),
      plain(`${type}/set ifInState`, `${type}/set`, { ifInState: "nothing", destroy: ["x"] }),
      plain(`${type}/set destroy of nothing`, `${type}/set`, { destroy: ["nothing"] }),
      plain(`${type}/set update of nothing`, `${type}/set`, { update: { nothing: {} } }),
      plain(`${type}/set create of a text`, `${type}/set`, { create: "x" }),
    );
  }
  return list;
}

function sets(): JmapCase[] {
  const update = (name: string, patch: (i: Ids) => Record<string, unknown>): JmapCase => ({
    name: `Email/set ${name}`,
    method: "Email/set",
    args: (i) => ({ update: { [i("email:m10@example.org")]: patch(i) } }),
  });
  const create = (name: string, email: (i: Ids) => Record<string, unknown>): JmapCase => ({
    name: `Email/set create ${name}`,
    method: "Email/set",
    args: (i) => ({ create: { a: email(i) } }),
  });
  const into = (i: Ids) => ({ mailboxIds: { [i("mailbox:Gamma")]: true } });
  const mailbox = (name: string, m: (i: Ids) => Record<string, unknown>): JmapCase => ({
    name: `Mailbox/set create ${name}`,
    method: "Mailbox/set",
    args: (i) => ({ create: { a: m(i) } }),
  });
  const changed = (name: string, id: string, m: (i: Ids) => Record<string, unknown>): JmapCase => ({
    name: `Mailbox/set ${name}`,
    method: "Mailbox/set",
    args: (i) => ({ update: { [i(`mailbox:${id}`)]: m(i) } }),
  });
  const see = (n: number): JmapCase => ({
    name: `Email/get after ${n}`,
    method: "Email/get",
    args: (i) => ({ ids: [i("email:m10@example.org")], properties: ["keywords", "mailboxIds"] }),
  });
  const text = {
    bodyValues: { t: { value: "hello" } },
    textBody: [{ partId: "t", type: "text/plain" }],
  };
  return [
    update("a keyword", () => ({ "keywords/new": true })),
    see(1),
    update("a keyword away", () => ({ "keywords/new": null })),
    see(2),
    update("all keywords", () => ({ keywords: { a: true, $seen: true } })),
    see(3),
    update("keywords with false", () => ({ keywords: { a: false } })),
    update("a keyword of a number", () => ({ "keywords/x": 1 })),
    update("a keyword with a blank", () => ({ "keywords/a b": true })),
    update("into another mailbox", (i) => ({ [`mailboxIds/${i("mailbox:Gamma")}`]: true })),
    see(4),
    update("out of all mailboxes", () => ({ mailboxIds: {} })),
    update("into no mailbox", () => ({ mailboxIds: { nothing: true } })),
    update("mailboxes anew", (i) => ({ mailboxIds: { [i("mailbox:Alpha")]: true } })),
    see(5),
    update("the subject", () => ({ subject: "x" })),
    update("the size", () => ({ size: 1 })),
    update("the id", () => ({ id: "x" })),
    update("an unknown property", () => ({ nothing: 1 })),
    update("a path through nothing", () => ({ "keywords/a/b": true })),
    create("of nothing", () => ({})),
    create("without a mailbox", () => ({ subject: "x" })),
    create(
      "with two from",
      (i) => ({ ...into(i), from: [{ email: "a@example.org" }], "header:From": "b" }),
    ),
    create("with a header of MIME", (i) => ({ ...into(i), "header:Content-Type": " text/plain" })),
    create("with a body twice", (i) => ({
      ...into(i),
      ...text,
      bodyStructure: { partId: "t", type: "text/plain" },
    })),
    create(
      "with a part of no value",
      (i) => ({ ...into(i), textBody: [{ partId: "z", type: "text/plain" }] }),
    ),
    create(
      "with a blob of nothing",
      (i) => ({ ...into(i), attachments: [{ blobId: "Gnothing", type: "x/y" }] }),
    ),
    create("with two texts", (i) => ({
      ...into(i),
      ...text,
      textBody: [text.textBody[0], text.textBody[0]],
    })),
    create(
      "with html as text",
      (i) => ({ ...into(i), ...text, textBody: [{ partId: "t", type: "text/html" }] }),
    ),
    create("with headers", (i) => ({ ...into(i), headers: [{ name: "X", value: "y" }] })),
    create("with a size", (i) => ({ ...into(i), size: 5 })),
    mailbox("without a name", () => ({})),
    mailbox("with a name that is taken", () => ({ name: "Alpha" })),
    mailbox(
      "with a name that is taken below",
      (i) => ({ name: "Below", parentId: i("mailbox:Alpha") }),
    ),
    mailbox("below nothing", () => ({ name: "x", parentId: "nothing" })),
    mailbox("with a count", () => ({ name: "y", totalEmails: 5 })),
    mailbox("with a role that is none", () => ({ name: "z", role: "nothing" })),
    mailbox("with an unknown property", () => ({ name: "u", nothing: 5 })),
    mailbox("with an empty name", () => ({ name: "" })),
    mailbox("with a name of a number", () => ({ name: 5 })),
    changed("another name", "Gamma", () => ({ name: "Delta" })),
    changed("a taken name", "Gamma", () => ({ name: "Beta" })),
    changed("below itself", "Alpha", (i) => ({ parentId: i("mailbox:Alpha") })),
    changed("below its child", "Alpha", (i) => ({ parentId: i("mailbox:Below") })),
    changed("its rights", "Alpha", () => ({ myRights: {} })),
    changed("its count", "Alpha", () => ({ totalEmails: 1 })),
    changed("the name back", "Gamma", () => ({ name: "Gamma" })),
    {
      name: "Mailbox/set destroy with a child",
      method: "Mailbox/set",
      args: (i) => ({ destroy: [i("mailbox:Alpha")] }),
    },
    {
      name: "Mailbox/set destroy with mail",
      method: "Mailbox/set",
      args: (i) => ({ destroy: [i("mailbox:Beta")] }),
    },
    {
      name: "Email/set destroy",
      method: "Email/set",
      args: (i) => ({ destroy: [i("email:m39@example.org"), "nothing"] }),
    },
    {
      name: "Email/get of what was destroyed",
      method: "Email/get",
      args: (i) => ({ ids: [i("email:m39@example.org")], properties: ["id"] }),
    },
    {
      name: "Mailbox/set destroy with its mail",
      method: "Mailbox/set",
      args: (i) => ({ destroy: [i("mailbox:Below")], onDestroyRemoveEmails: true }),
    },
    plain("Email/import of nothing", "Email/import", {
      emails: { a: { blobId: "nothing", mailboxIds: {} } },
    }),
    plain("Email/parse of nothing", "Email/parse", { blobIds: ["nothing"] }),
    plain("Email/copy within an account", "Email/copy", { fromAccountId: "$", create: {} }),
  ];
}

/** All calls, in their order: those that write come last. */
export function jmapCases(): JmapCase[] {
  return [...queries(), ...gets(), ...mistakes(), ...sets()];
}

/** The mail of an account that conformance suites of JMAP put in before they ask: its kinds of messages. */
import type { Client, Json } from "../world.ts";

export interface Seeded {
  inbox: string;
  drafts: string;
  sent: string;
  a: string;
  b: string;
  child: string;
  /** Ids of emails by name. */
  e: Record<string, string>;
}

const hour = 3_600_000;
const text = (lines: string[]) => lines.join("\r\n");
const at = (hours: number) => new Date(Math.floor((Date.now() - hours * hour) / 1000) * 1000);

function message(
  o: { from: string; to?: string; subject: string; hours: number; more?: string[]; body: string },
): string {
  return text([
    `From: ${o.from}`,
    `To: ${o.to ?? "ann@mox.example"}`,
    `Subject: ${o.subject}`,
    `Date: ${at(o.hours).toUTCString().replace("GMT", "+0000")}`,
    ...o.more ?? ["Content-Type: text/plain; charset=utf-8"],
    "MIME-Version: 1.0",
    "",
    o.body,
  ]);
}

const parts = (kind: string, list: string[][]) => ({
  more: [`Content-Type: multipart/${kind}; boundary=bb`],
  body: text([...list.flatMap((p) => ["--bb", ...p]), "--bb--", ""]),
});

/** Makes two mailboxes, one in another, and puts a score of messages into them. */
export async function seed(ann: Client): Promise<Seeded> {
  const roles = await ann.roles();
  const made = await ann.call("Mailbox/set", {
    create: {
      a: { name: "Folder A", parentId: null },
      b: { name: "Folder B", parentId: null },
      child: { name: "Child", parentId: "#a" },
      child2: { name: "Child 2", parentId: "#a" },
    },
  });
  const [a, b, child] = ["a", "b", "child"].map((k) => made.created[k].id as string);
  const { inbox, drafts, sent } = roles;
  const e: Record<string, string> = {};
  const put = async (
    name: string,
    hours: number,
    mailboxes: string[],
    keywords: string[],
    o: { from: string; to?: string; subject: string; more?: string[]; body: string },
  ) => {
    const blobId = await ann.upload(message({ hours, ...o }));
    const r = await ann.call("Email/import", {
      emails: {
        m: {
          blobId,
          mailboxIds: Object.fromEntries(mailboxes.map((m) => [m, true])),
          keywords: Object.fromEntries(keywords.map((k) => [k, true])),
          receivedAt: at(hours).toISOString().replace(".000", ""),
        },
      },
    });
    e[name] = r.created.m.id;
  };
  const plain = ["Content-Type: text/plain; charset=utf-8"];
  const thread = (id: string, refs = "") => [
    ...plain,
    `Message-ID: <${id}@seed>`,
    ...refs === "" ? [] : [`In-Reply-To: ${refs.split(" ").at(-1)}`, `References: ${refs}`],
  ];
  await put("plain", 240, [inbox], ["$seen"], {
    from: "Alice Sender <alice@example.com>",
    subject: "Meeting tomorrow",
    body: "We meet at nine in the conference room.",
  });
  await put("attachment", 216, [inbox], ["$seen", "$flagged"], {
    from: "Bob Jones <bob@example.org>",
    subject: "Quarterly Financial Report",
    ...parts("mixed", [
      ["Content-Type: text/html", "", "<html><body><h1>Q3</h1><p>attached</p></body></html>"],
      [
        'Content-Type: application/pdf; name="report.pdf"',
        'Content-Disposition: attachment; filename="report.pdf"',
        "Content-Transfer-Encoding: base64",
        "",
        "JVBERi0xLjQK",
      ],
    ]),
  });
  await put("first", 192, [a], ["$seen"], {
    from: "ann@mox.example",
    to: "alice@example.com",
    subject: "Project Alpha",
    more: thread("t1"),
    body: "About the timeline.",
  });
  await put("second", 168, [inbox], [], {
    from: "Alice Sender <alice@example.com>",
    subject: "Re: Project Alpha",
    more: thread("t2", "<t1@seed>"),
    body: "Thursday?",
  });
  await put("third", 144, [inbox], ["$answered"], {
    from: "Bob Jones <bob@example.org>",
    to: "ann@mox.example, alice@example.com",
    subject: "Re: Project Alpha",
    more: [...thread("t3", "<t1@seed> <t2@seed>"), "Cc: charlie@example.net"],
    body: "I bring the xylophone.",
  });
  await put("both", 120, [inbox, a], ["$seen"], {
    from: "David <david@example.com>",
    subject: "In two places",
    body: "here and there",
  });
  await put("large", 96, [b], [], {
    from: "Eve <eve@example.com>",
    subject: "Large",
    body: "A paragraph of text.\r\n".repeat(2500),
  });
  await put("alternative", 72, [inbox], ["$seen"], {
    from: "Frank <frank@example.com>",
    subject: "Weekly",
    ...parts("alternative", [
      ["Content-Type: text/plain", "", "Weekly Digest - text"],
      ["Content-Type: text/html", "", "<p>Weekly Digest</p>"],
    ]),
  });
  await put("nosubject", 48, [inbox], ["$seen"], {
    from: "Grace <grace@example.com>",
    subject: "",
    body: "nothing above",
  });
  await put("keywords", 24, [inbox], ["$seen", "$forwarded", "custom_label"], {
    from: "Henry <henry@example.com>",
    subject: "Tagged",
    body: "tags",
  });
  await put("old", 720, [a], ["$seen"], {
    from: "Iris <iris@example.com>",
    subject: "Archived",
    body: "a month ago",
  });
  await put("bcc", 47, [a], ["$seen", "$draft"], {
    from: "ann@mox.example",
    to: "jack@example.com",
    subject: "Confidential",
    more: [...plain, "Bcc: secret@example.com"],
    body: "hidden",
  });
  await put("list", 23, [inbox], ["$seen"], {
    from: "List <list@example.com>",
    subject: "Post",
    more: [
      ...plain,
      "List-Unsubscribe: <https://example.com/unsub>",
      "X-Custom-Header: custom-value-1",
      "Message-ID: <list@seed>",
    ],
    body: "a post",
  });
  await put("related", 12, [inbox], ["$seen"], {
    from: "Kate <kate@example.com>",
    subject: "Picture",
    ...parts("related", [
      ["Content-Type: text/html", "", '<img src="cid:i@x">'],
      [
        "Content-Type: image/jpeg",
        "Content-ID: <i@x>",
        "Content-Disposition: inline",
        "Content-Transfer-Encoding: base64",
        "",
        "/9j/2Q==",
      ],
    ]),
  });
  await put("words", 6, [inbox], [], {
    from: "=?UTF-8?B?6YeR5Z+O5q2m?= <k@example.com>",
    subject: "=?UTF-8?B?44GT44KT44Gr44Gh44Gv?=",
    body: "encoded",
  });
  for (const [i, [who, size]] of [["Zara", 100], ["Amy", 500], ["Mike", 50]].entries()) {
    await put(`sort${i}`, [71, 46, 22][i], [b], [["$seen"], ["$seen", "$flagged"], []][i], {
      from: `${who} <${String(who).toLowerCase()}@example.com>`,
      subject: `${["Alpha", "Beta", "Gamma"][i]} sort`,
      body: "x".repeat(Number(size)),
    });
  }
  await put("child", 121, [child], ["$seen"], {
    from: "Nancy <nancy@example.com>",
    subject: "Nested",
    body: "below",
  });
  return { inbox, drafts, sent, a, b, child, e };
}

/** A new email of one text. */
export const letter = (mailboxId: string, o: Json = {}): Json => ({
  mailboxIds: { [mailboxId]: true },
  from: [{ name: "Ann", email: "ann@mox.example" }],
  to: [{ name: "Bob", email: "bob@mox.example" }],
  subject: "A letter",
  bodyStructure: { type: "text/plain", partId: "1" },
  bodyValues: { "1": { value: "its text" } },
  ...o,
});

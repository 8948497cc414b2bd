/** Messages of a mailbox that looks like someone's, for pictures of the webmail. */
import type { Mail } from "../tests/browser/browser.ts";

const hour = 3_600_000;
export const ago = (hours: number) => new Date(Date.now() - hours * hour);

/** A picture that is no more than a gradient. */
const picture =
  `<svg xmlns="http://www.w3.org/2000/svg" width="560" height="240"><defs><linearGradient id="g" ` +
  `x2="1"><stop stop-color="#cfe6ef"/><stop offset="1" stop-color="#2f6f8f"/></linearGradient></defs>` +
  `<rect width="560" height="240" fill="url(#g)"/></svg>`;

export const mails: Mail[] = [
  {
    from: "Priya Raman <priya@rowing.example>",
    subject: "Boat house keys",
    text: "Hi,\n\nthe new keys are at the desk. Bring the old one.\n\nPriya\n",
    date: ago(200),
    seen: true,
  },
  {
    from: "Accounts <billing@hosting.example>",
    subject: "Invoice 2026-1043",
    text: "Dear customer,\n\nyour invoice is attached. It will be charged on the 1st.\n",
    date: ago(170),
    seen: true,
    attachments: [{
      filename: "invoice-2026-1043.pdf",
      content: "%PDF-1.4\n%%EOF\n",
      contentType: "application/pdf",
    }],
  },
  {
    from: "Mira Okafor <mira@studio.example>",
    subject: "Poster for the autumn concert",
    text:
      "Here is the second draft. I moved the date to the top and made the title larger.\n\nMira\n",
    date: ago(52),
    seen: true,
    messageId: "<poster-1@studio.example>",
    attachments: [
      { filename: "poster-v2.svg", content: picture, contentType: "image/svg+xml" },
      { filename: "notes.txt", content: "A2, 90 copies, matt paper\n" },
    ],
  },
  {
    from: "Jonas Weber <jonas@concert.example>",
    subject: "Re: Poster for the autumn concert",
    text:
      "On Tuesday, Mira Okafor wrote:\n> Here is the second draft. I moved the date to the top and made the " +
      "title larger.\n\nLovely! Could the logo be a little smaller? The printer wants it by Friday:\n" +
      "https://print.example/orders/1204\n\n-- \nJonas Weber\nConcert society\n",
    date: ago(49),
    seen: true,
    messageId: "<poster-2@concert.example>",
    inReplyTo: "<poster-1@studio.example>",
  },
  {
    from: "Mira Okafor <mira@studio.example>",
    to: "mox@localhost, jonas@concert.example",
    subject: "Re: Poster for the autumn concert",
    text:
      "> Could the logo be a little smaller?\n\nDone. I will send it to them tomorrow morning, unless one of " +
      "you finds another mistake.\n\nMira\n",
    date: ago(3),
    messageId: "<poster-3@studio.example>",
    inReplyTo: "<poster-2@concert.example>",
  },
  {
    from: "Deno Land <news@deno.example>",
    subject: "What is new this month",
    text: "Faster starts, smaller executables, and a new test reporter.\n",
    html:
      `<h2 style="font-family:sans-serif">What is new this month</h2><p>Faster starts, smaller executables, ` +
      `and a new test reporter.</p><p><img src="https://news.example/header.png" width="300"></p>` +
      `<p><a href="https://deno.example/blog">Read on</a></p>`,
    date: ago(26),
    seen: true,
    headers: {
      "List-Unsubscribe": "<https://deno.example/unsubscribe>",
      "List-Id": "<news.deno.example>",
    },
  },
  {
    from: "PаyPal Service <service@paypa1.example>",
    subject: "Your аccount is limited",
    text: "Please confirm your pаssword at https://paypal.example.phish.example/login\n",
    date: ago(20),
  },
  {
    from: "Tomás Silva <tomas@bikes.example>",
    subject: "Saturday's ride",
    text: "Meeting at 8 at the bridge. 70 km, with coffee half-way.\n\nTomás\n",
    date: ago(8),
    seen: true,
  },
  {
    from: "Library <loans@library.example>",
    subject: "Due soon: The Sea Around Us",
    text: "The book is due in three days. You can extend the loan twice.\n",
    date: ago(1),
  },
  {
    from: "Ann Example <ann@example.org>",
    subject: "Lunch tomorrow?",
    text: "Half past twelve at the usual place? The soup is pumpkin again.\n\nAnn\n",
    date: ago(0.2),
  },
  {
    from: "Dora Delta <dora@delta.example>",
    subject: "My card",
    text: "As you asked, my card.\n\nDora\n",
    date: ago(30),
    seen: true,
    attachments: [{
      filename: "dora.vcf",
      contentType: "text/vcard; charset=utf-8",
      content: card("dora", "Dora Delta", "dora@delta.example", "Delta, Inc."),
    }],
  },
  {
    from: "Rowing club <club@rowing.example>",
    subject: "Boat race",
    text: "You are invited.\n",
    date: ago(28),
    seen: true,
    headers: { "List-Unsubscribe": "<https://rowing.example/unsubscribe>" },
    attachments: [{
      filename: "invite.ics",
      contentType: "text/calendar; method=REQUEST; charset=utf-8",
      content: calendar(
        [
          "UID:race",
          "DTSTART:20300301T100000Z",
          "DTEND:20300301T110000Z",
          "SUMMARY:The boat race",
          "LOCATION:At the bridge",
          "DESCRIPTION:Bring warm clothes. There is soup afterwards\\, and the cups are given out at noon.",
          "ORGANIZER;CN=Rowing club:mailto:club@rowing.example",
          "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:mox@localhost",
          "ATTENDEE;CN=Priya Raman;PARTSTAT=ACCEPTED:mailto:priya@rowing.example",
        ],
        "REQUEST",
      ),
    }],
  },
];

/** What is written in pictures of a message that is written. */
export const writtenHere =
  "Hi Mira,\n\nthe printer asks for a bleed of 3 mm at each side, and for the logo as a drawing. Could you send me " +
  "both before noon?\n\nThank you!\n";

function card(uid: string, name: string, address: string, company = ""): string {
  const [given, family = ""] = name.split(" ");
  return [
    "BEGIN:VCARD",
    "VERSION:3.0",
    `UID:${uid}`,
    `FN:${name}`,
    `N:${family};${given};;;`,
    ...company === "" ? [] : [`ORG:${company.replaceAll(",", "\\,")}`],
    `EMAIL;TYPE=work:${address}`,
    "TEL;TYPE=cell:+49 30 901820",
    "END:VCARD",
    "",
  ].join("\r\n");
}

function calendar(lines: readonly string[], method?: string): string {
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//pictures//EN",
    ...method === undefined ? [] : [`METHOD:${method}`],
    "BEGIN:VEVENT",
    "DTSTAMP:20260101T000000Z",
    ...lines,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\r\n");
}

/** Puts people and events of this week into the account of localserve, by CardDAV and CalDAV. */
export async function keepGroupware(port: number): Promise<void> {
  const put = async (path: string, type: string, body: string) => {
    const r = await fetch(`http://localhost:${port}/dav/${path}`, {
      method: "PUT",
      body,
      headers: { authorization: `Basic ${btoa("mox@localhost:moxmoxmox")}`, "content-type": type },
    });
    if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`);
    await r.body?.cancel();
  };
  for (
    const [uid, name, address, company] of [
      ["mira", "Mira Okafor", "mira@studio.example", "Studio Okafor"],
      ["jonas", "Jonas Weber", "jonas@concert.example", "Concert society"],
      ["priya", "Priya Raman", "priya@rowing.example", ""],
      ["tomas", "Tomás Silva", "tomas@bikes.example", "Bikes & more"],
    ]
  ) {
    await put(
      `addressbooks/mox/default/${uid}.vcf`,
      "text/vcard; charset=utf-8",
      card(uid, name, address, company),
    );
  }
  const day = (offset: number, hour: number, minute = 0) => {
    const d = new Date();
    d.setUTCHours(hour, minute, 0, 0);
    d.setUTCDate(d.getUTCDate() + offset);
    return d.toISOString().replace(/[-:]|\.\d+/g, "");
  };
  for (
    const [uid, from, to, title, place] of [
      ["lunch", day(0, 12, 30), day(0, 13, 30), "Lunch with Ann", "The usual place"],
      ["stand-up", day(0, 9), day(0, 9, 30), "Stand-up", ""],
      [
        "review",
        day(0, 9, 15),
        day(0, 11),
        "Review of the poster with the whole concert society",
        "Room 4",
      ],
      ["dentist", day(1, 15), day(1, 15, 45), "Dentist", "Main street 4"],
      ["choir", day(2, 18, 30), day(2, 20), "Choir", "Town hall"],
    ]
  ) {
    await put(
      `calendars/mox/default/${uid}.ics`,
      "text/calendar; charset=utf-8",
      calendar([
        `UID:${uid}`,
        `DTSTART:${from}`,
        `DTEND:${to}`,
        `SUMMARY:${title}`,
        `LOCATION:${place}`,
      ]),
    );
  }
  const whole = (offset: number) => day(offset, 0).slice(0, 8);
  await put(
    "calendars/mox/default/trip.ics",
    "text/calendar; charset=utf-8",
    calendar([
      "UID:trip",
      `DTSTART;VALUE=DATE:${whole(1)}`,
      `DTEND;VALUE=DATE:${whole(4)}`,
      "SUMMARY:Trip to the lake",
    ]),
  );
}

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
];

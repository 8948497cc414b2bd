/** Signs of phishing that need no training. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { explainReason } from "../../src/delivery/explained.ts";
import { messageText } from "../../src/delivery/message_text.ts";
import { hostOf, htmlLinks } from "../../src/delivery/suspicion/anchors.ts";
import { lookalikeOf, mixesAlphabets } from "../../src/delivery/suspicion/lookalike.ts";
import {
  signalsOf,
  type Suspect,
  suspicionOf,
  suspicious,
} from "../../src/delivery/suspicion/mod.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";

const suspect = (over: Partial<Suspect> = {}): Suspect => ({
  from: { name: "Ann", address: "ann@shop.example" },
  replyTo: [],
  verified: true,
  list: false,
  texts: [{ html: false, text: "Hello" }],
  attachments: [],
  correspondents: [],
  ...over,
});
const kinds = (over: Partial<Suspect>) => signalsOf(suspect(over)).map((s) => s.kind);
const html = (text: string) => [{ html: true, text }];
const from = (name: string, address: string) => ({ from: { name, address } });

Deno.test("a borrowed name, an address as a name, and whose name it is", () => {
  assert.deepEqual(kinds(from("PayPal Service", "x@evil.example")), ["borrowed-name"]);
  assert.deepEqual(kinds(from("PayPal", "service@paypal.com")), []);
  assert.deepEqual(kinds(from("Microsoft 365", "no-reply@office.com")), []);
  assert.deepEqual(kinds(from("Paypalina Jones", "p@home.example")), []);
  assert.deepEqual(kinds(from("ceo@bank.example", "x@evil.example")), ["address-as-name"]);
  assert.deepEqual(kinds(from("ann@shop.example", "ann@mail.shop.example")), []);
});

Deno.test("domains that look like those of correspondents", () => {
  const own = ["northwind.example", "contoso.example", "ab.example"];
  for (
    const domain of [
      "northwlnd.example",
      "nortwind.example",
      "nrothwind.example",
      "n0rthwind.example",
      "contos0.example",
      "cont\u043eso.example",
    ]
  ) assert.ok(lookalikeOf(domain, own), domain);
  for (const domain of ["northwind.example", "northwind.test", "southwind.example", "ac.example"]) {
    assert.equal(lookalikeOf(domain, own), undefined, domain);
  }
  assert.deepEqual(
    kinds({ ...from("Ann", "a@contos0.com"), correspondents: ["contoso.com"] }),
    ["lookalike"],
  );
  assert.ok(mixesAlphabets("p\u0430ypal.com"));
  assert.ok(!mixesAlphabets("пример.com"));
  // As it stands in the message: the ASCII form of a mixed name.
  assert.ok(kinds(from("x", "x@xn--pypal-4ve.com")).includes("mixed-alphabets"));
});

Deno.test("links: text that names another site, links elsewhere, anyone's hosts", () => {
  assert.deepEqual(
    kinds({ texts: html(`<a href="https://evil.test/x">https://www.shop.example/login</a>`) }),
    ["link-text", "links-elsewhere", "html-only"],
  );
  assert.deepEqual(
    kinds({ texts: html(`<a href="https://click.shop.example/x">www.other.example</a>`) }),
    ["html-only"],
  );
  assert.ok(
    kinds({ texts: html(`<a href="https://login.web.app/">go</a>`) }).includes("anyones-host"),
  );
  assert.deepEqual(kinds({ texts: [{ html: false, text: "see https://news.test/story" }] }), []);
  assert.deepEqual(
    kinds({ texts: html(`<a href="https://evil.test"><img src="https://evil.test/p"></a>`) }),
    ["links-elsewhere", "image-only", "html-only"],
  );
  assert.equal(hostOf("https://bank.example@evil.test:8443/x"), "evil.test");
  assert.equal(hostOf("mailto:x@y.example"), undefined);
});

Deno.test("attachments that run, answers that go to an address for anyone", () => {
  assert.deepEqual(kinds({ attachments: ["invoice.pdf.EXE"] }), ["running-attachment"]);
  assert.deepEqual(kinds({ attachments: ["scan.html", "x.pdf"] }), ["active-attachment"]);
  assert.deepEqual(kinds({ replyTo: [{ address: "ann.shop@gmail.com" }] }), ["answers-elsewhere"]);
  assert.deepEqual(
    kinds({ ...from("Ann", "ann@gmail.com"), replyTo: [{ address: "a2@gmail.com" }] }),
    [],
  );
  assert.deepEqual(kinds({ attachments: ["x.exe"], verified: false }), [
    "running-attachment",
    "unverified",
  ]);
});

Deno.test("today's phishing goes to Junk untrained", () => {
  const button = (host: string, text = "Verify now") =>
    html(`<p>Your account is limited.</p><a href="https://${host}/x">${text}</a>`);
  const phish: Partial<Suspect>[] = [
    { ...from("PayPal", "info@shop-7.test"), texts: button("pp.test") },
    { ...from("Netflix Billing", "n@mail.test"), texts: button("netflix.web.app") },
    { ...from("DHL", "dhl@parcel.test"), verified: false, texts: html("<b>Pay 1.99</b>") },
    { ...from("IT", "it@shop.example"), verified: false, texts: button("login.weebly.com") },
    { ...from("Ann", "ann@other.test"), attachments: ["invoice.iso"] },
  ];
  for (const p of phish) {
    const signals = signalsOf(suspect(p));
    assert.ok(suspicionOf(signals) >= suspicious, JSON.stringify(signals));
  }
});

Deno.test("200 good messages in five languages: none to Junk", () => {
  const letters: [string, string, string][] = [
    ["Ann Miller", "Meeting on Tuesday", "Here are the minutes: https://docs.example.com/minutes"],
    ["Jürgen Groß", "Rechnung für Mai", "Die Rechnung liegt bei, bitte bis zum 5. überweisen."],
    [
      "Hélène Dupont",
      "Réunion de jeudi",
      "Bonjour, voici le lien : https://visio.example.fr/salle",
    ],
    ["José García", "Presupuesto", "Hola, adjunto el presupuesto de la obra. Un saludo."],
    ["Анна Иванова", "Отчёт", "Добрый день, отчёт во вложении. С уважением, Анна."],
  ];
  let checked = 0;
  for (const [name, subject, text] of letters) {
    for (let i = 0; i < 40; i++) {
      const domain = ["gmail.com", "web.de", "firma.example", "uni.example.edu"][i % 4];
      const newsletter = i % 5 === 4;
      const body = `<p>${subject}</p><p>${text}</p><a href="https://${
        newsletter ? `news.${domain}` : "www.example.org"
      }/${i}">${i % 2 ? "mehr / more" : `https://${domain}`}</a>`;
      const signals = signalsOf(suspect({
        from: { name, address: `person${i}@${domain}` },
        verified: i % 7 !== 0,
        list: i % 10 === 3,
        replyTo: i % 11 === 0 ? [{ address: `person${i}@${domain}` }] : [],
        texts: newsletter
          ? [{ html: true, text: body }]
          : i % 3 === 0
          ? [{ html: false, text: `${subject}\n${text}` }]
          : [{ html: false, text }, { html: true, text: body }],
        attachments: i % 4 === 0 ? ["scan.pdf", "photo.jpg"] : [],
        correspondents: ["gmail.com", "partner.example"],
      }));
      checked++;
      assert.ok(suspicionOf(signals) < suspicious, `${name} ${i}: ${JSON.stringify(signals)}`);
    }
  }
  assert.equal(checked, 200);
});

Deno.test("any text gives a result; tags without end take linear time", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
      signalsOf(suspect({ from: { name: a, address: b }, texts: html(c), attachments: [a, b, c] }));
      explainReason(a + b + c);
    }),
    { numRuns: 300 },
  );
  const links = htmlLinks("<a href=https://x.test>".repeat(20_000));
  assert.equal(links.anchors.length, 200);
  signalsOf(suspect({ texts: html(`<a href="https://a.test">${"a.".repeat(100_000)}</a>`) }));
});

Deno.test("the reason of a message in plain words", () => {
  const e = explainReason(
    "junk-mailbox; reputation by none;\r\n\tcontent: junk, spamscore 0.97, threshold 0.90 (ham words: hello 0.010)" +
      "\r\n\t(spam words: subject:cheap 0.990, url:pills.example 0.980, shape:$0,000 0.900); to the junk mailbox",
  );
  assert.equal(e.reason, "junk-mailbox");
  assert.equal(e.score, 0.97);
  assert.deepEqual(e.good, ['"hello"']);
  assert.deepEqual(e.junk, [
    '"cheap" in the subject',
    "a link to pills.example",
    '"$0,000", with 0 for any number',
  ]);
  assert.equal(explainReason("constructor; x").sentence, "");
});

Deno.test("of a message of very many texts only the first are decoded, names of all files are there", () => {
  const part = `--b\r\nContent-Type: text/plain\r\n\r\n${"word ".repeat(20_000)}\r\n`;
  const file = "--b\r\nContent-Type: application/x; name=last.exe\r\n\r\nx\r\n";
  const bytes = new TextEncoder().encode(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(50)}${file}--b--\r\n`,
  );
  const { root } = parseMessage(bytes);
  const text = messageText(root, (from, to) => bytes.subarray(from, to));
  assert.equal([...text.texts].length, 11);
  assert.deepEqual([...text.attachments!], ["last.exe"]);
});

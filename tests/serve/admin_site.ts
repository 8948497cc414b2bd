/**
 * A server with everything that an administrator may find: domains, accounts, mail in the queue that fails, messages
 * that left it, reports of others, webhooks that wait, attempts to log in. For tests of the admin page's calls, for
 * tests in a browser, and for pictures.
 */
import * as admin from "../../src/admin/mod.ts";
import { type JunkEvent, JunkFigures } from "../../src/delivery/junk_figures.ts";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  type DmarcEvaluation,
  DmarcEvaluations,
  DmarcReports,
  FailureReports,
  reportDay,
  type TlsPolicyResult,
  TlsReports,
  TlsResults,
} from "../../src/reports/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { noteBackup } from "../../src/store/backup/last_backup.ts";
import { hashPassword } from "../../src/store/logins/password.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { receiver } from "../support/hook_receiver.ts";
import { freePorts } from "./instance.ts";

export const adminPassword = "admin of mox";
export const userPassword = "correct horse";
const day = 86_400_000;

export interface AdminSite {
  server: MailServer;
  config: Config;
  dir: string;
  /** Of the web pages: `http://localhost:PORT`. */
  origin: string;
  ports: { http: number; smtp: number; imap: number };
}

export interface AdminSiteOptions {
  /** Nothing but a domain and an account. */
  empty?: boolean;
  /** Services of the listener in place of all pages. */
  pages?: string;
  /** Milliseconds since the epoch that limits of logins go by. */
  loginClock?: () => number;
}

function conf(ports: AdminSite["ports"], pages: string): string {
  return `DataDir: ../data
LogLevel: error
AllowedUserNetworks:
	- 127.0.0.0/8
Hostname: mail.mox.example
AdminPasswordFile: adminpasswd
Listeners:
	public:
		IPs:
			- 127.0.0.1
		NATIPs:
			- 198.51.100.7
		SMTP:
			Enabled: true
			Port: ${ports.smtp}
			NoSTARTTLS: true
			DNSBLs:
				- bl.example.net
				- sbl.example.net
		IMAP:
			Enabled: true
			Port: ${ports.imap}
			NoRequireSTARTTLS: true
${pages.replaceAll("PORT", String(ports.http))}
Postmaster:
	Account: ann
	Mailbox: Postmaster
QuotaMessageSize: 1073741824
Transports:
	relay:
		Submission:
			Host: relay.example.net
	broken:
		Fail:
			SMTPCode: 451
			SMTPMessage: out of order
`;
}

const allPages =
  ["Account", "Webmail", "Admin"].map((p) =>
    `		${p}HTTP:\n			Enabled: true\n			Port: PORT\n`
  ).join("") + "		WebserverHTTP:\n			Enabled: true\n			Port: PORT";

const domainsConf = (hook: string) =>
  `Domains:
	mox.example: nil
Accounts:
	ann:
		Domain: mox.example
		FullName: Ann Example
		KeepRetiredMessagePeriod: 168h
		KeepRetiredWebhookPeriod: 168h
		OutgoingWebhook:
			URL: ${hook}
		Destinations:
			ann@mox.example: nil
`;

/** The zone of mox.example as it is found, with a record missing and one that is wrong. */
const zone: Zone = {
  "mail.mox.example": { A: ["198.51.100.7"] },
  "mox.example": {
    MX: ["10 mail.mox.example"],
    TXT: ["v=spf1 ip4:192.0.2.1 -all"],
  },
  "_dmarc.mox.example": { TXT: ["v=DMARC1; p=reject; rua=mailto:dmarcreports@mox.example"] },
  "7.100.51.198.in-addr.arpa": { PTR: ["mail.mox.example"] },
  "7.100.51.198.bl.example.net": {
    A: ["127.0.0.2"],
    TXT: ["Listed for unsolicited mail, see https://bl.example.net/why"],
  },
  "2.0.0.127.bl.example.net": { A: ["127.0.0.2"] },
  "2.0.0.127.sbl.example.net": { A: ["127.0.0.2"] },
  "good.example": { A: ["127.0.0.1"] },
  "full.example": { A: ["127.0.0.1"] },
  "slow.example": { fail: "timeout" },
  "shop.example": { A: ["127.0.0.1"] },
};

const reporters = ["Google LLC", "Yahoo Inc.", "Fastmail Pty Ltd", "Mail.example GmbH"];

/** A month of mail for ann. */
async function fillJunkDays(dataDir: string): Promise<void> {
  const today = Date.now();
  let now = today;
  const figures = await JunkFigures.open(dataDir, () => now);
  for (let back = 29; back >= 1; back--) {
    now = today - back * day;
    const note = (event: JunkEvent, count: number) => {
      for (let i = 0; i < count; i++) figures.note("ann", event);
    };
    note("good", 12 + (back * 7) % 9);
    note("junk", (back * 5) % 7);
    note("refused", (back * 3) % 11);
    note("missed", back % 10 === 4 ? 1 : 0);
    note("falseAlarms", back === 12 ? 1 : 0);
  }
  await figures.close();
}

async function fillReports(dataDir: string): Promise<void> {
  await fillJunkDays(dataDir);
  const dmarc = await DmarcReports.open(dataDir);
  const tls = await TlsReports.open(dataDir);
  const today = Math.floor(Date.now() / day);
  for (let back = 1; back <= 29; back++) {
    for (const [i, orgName] of reporters.entries()) {
      if ((back * 7 + i * 3) % 5 === 0) continue;
      const begin = (today - back) * 86_400;
      const good = 20 + (back * 13 + i * 29) % 60;
      const forged = back % 9 === 3 ? 14 + i : (back + i) % 6 === 0 ? 2 : 0;
      const record = (sourceIp: string, count: number, pass: boolean, forwarded = false) => ({
        sourceIp,
        count,
        disposition: pass ? "none" as const : "reject" as const,
        dkim: pass ? "pass" as const : "fail" as const,
        spf: pass && !forwarded ? "pass" as const : "fail" as const,
        reasons: forwarded ? [{ type: "forwarded" as const, comment: "" }] : [],
        envelopeTo: "",
        envelopeFrom: pass ? "mox.example" : "cheap.example",
        headerFrom: "mox.example",
        dkimResults: pass
          ? [{
            domain: "mox.example",
            selector: "2026a",
            result: "pass" as const,
            humanResult: "",
          }]
          : [],
        spfResults: [{
          domain: pass ? "mox.example" : "cheap.example",
          scope: "mfrom" as const,
          result: pass && !forwarded ? "pass" as const : "softfail" as const,
        }],
      });
      await dmarc.add({
        version: "1.0",
        orgName,
        email: `dmarc@${orgName.toLowerCase().replace(/\W+/g, "")}.example`,
        extraContactInfo: "",
        reportId: `${begin}.${i}`,
        begin,
        end: begin + 86_399,
        errors: [],
        policy: {
          domain: i === 3 ? "concert.example" : "mox.example",
          adkim: "r",
          aspf: "r",
          p: "reject",
          sp: "reject",
          pct: 100,
          fo: "",
        },
        records: [
          record("198.51.100.7", good, true),
          record("203.0.113.60", 3, true, true),
          ...forged > 0 ? [record("192.0.2.77", forged, false)] : [],
        ],
      }, "reporter.example");
      if (i > 2) continue;
      const failed = back % 11 === 4 ? 5 : 0;
      await tls.add({
        received: begin * 1000 + day,
        domain: "mox.example",
        fromDomain: "reporter.example",
        mailFrom: "tls@reporter.example",
        hostReport: false,
        report: {
          organizationName: orgName,
          begin: begin * 1000,
          end: begin * 1000 + day - 1000,
          contactInfo: "tls@reporter.example",
          reportId: `${begin}.${i}`,
          policies: [policyResult("mox.example", 10 + (back * 5 + i) % 20, failed)],
        },
      });
    }
  }
  await dmarc.close();
  const failures = await FailureReports.open(dataDir);
  for (
    const [domain, subject] of [["mox.example", "Invoice 4711"], ["concert.example", "Tickets"]]
  ) {
    await failures.add(
      {
        kind: "dmarc",
        domain,
        sourceIp: "192.0.2.77",
        delivery: "reject",
        dkimDomain: "",
        dkimSelector: "",
        spfDns: "",
        arrival: Date.now() - day,
        incidents: 1,
        mailFrom: "x@cheap.example",
        recipients: ["someone@fastmail.example"],
        from: `Chef <chef@${domain}>`,
        subject,
        messageId: "<forged@cheap.example>",
      },
      "fastmail.example",
      `<${domain}@fastmail.example>`,
    );
  }
  await failures.close();
  await tls.close();
  const results = await TlsResults.open(dataDir);
  results.add({
    day: reportDay(Date.now()),
    policyDomain: "good.example",
    recipientDomain: "good.example",
    isHost: false,
    wanted: true,
    results: [policyResult("good.example", 12, 1)],
  });
  await results.close();
  const evaluations = await DmarcEvaluations.open(dataDir);
  for (let i = 0; i < 6; i++) evaluations.add(evaluation(i));
  evaluations.suppress("reports@bounces.example", Date.now() + 20 * day, "bounced");
  await evaluations.close();
}

function policyResult(domain: string, success: number, failure: number): TlsPolicyResult {
  return {
    policyType: "sts",
    policyString: ["version: STSv1", "mode: enforce", `mx: mail.${domain}`, "max_age: 604800"],
    policyDomain: domain,
    mxHost: [`mail.${domain}`],
    totalSuccessfulSessionCount: success,
    totalFailureSessionCount: failure,
    failures: failure === 0 ? [] : [{
      resultType: "certificate-expired",
      sendingMtaIp: "203.0.113.9",
      receivingMxHostname: `mail.${domain}`,
      receivingMxHelo: "",
      receivingIp: "198.51.100.7",
      failedSessionCount: failure,
      additionalInformation: "",
      failureReasonCode: "expired yesterday",
    }],
  };
}

function evaluation(i: number): DmarcEvaluation {
  return {
    policyDomain: i < 4 ? "studio.example" : "rowing.example",
    evaluated: Date.now() - i * 600_000,
    optional: i >= 4,
    intervalHours: 24,
    addresses: [{ address: "dmarc@studio.example" }],
    policy: {
      domain: "studio.example",
      adkim: "r",
      aspf: "r",
      p: "none",
      sp: "none",
      pct: 100,
      fo: "",
    },
    sourceIp: "203.0.113.20",
    disposition: "none",
    alignedDkimPass: i !== 2,
    alignedSpfPass: true,
    reasons: [],
    envelopeTo: "mox.example",
    envelopeFrom: "studio.example",
    headerFrom: "studio.example",
    dkimResults: [],
    spfResults: [],
  };
}

/** Puts messages into the queue, and waits until they have been tried. */
async function fillQueue(server: MailServer, dir: string): Promise<void> {
  const { queue } = server;
  const file = `${dir}/data/tmp/outgoing`;
  await queue.addHoldRule({
    account: undefined,
    senderDomain: undefined,
    recipientDomain: "held.example",
  });
  const send = async (subject: string, ...to: string[]) => {
    const text = `From: Ann Example <ann@mox.example>\r\nTo: ${to.join(", ")}\r\n` +
      `Subject: ${subject}\r\n\r\nHello,\r\n\r\n${subject}.\r\n\r\nAnn\r\n`;
    await Deno.writeTextFile(file, text);
    await queue.add({
      senderAccount: "ann",
      mailFrom: "ann@mox.example",
      recipients: to.map((address) => ({ address, notify: ["never"] })),
      file,
      fileSize: text.length,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
      messageId: `<${crypto.randomUUID()}@mox.example>`,
      subject,
    });
    await Deno.remove(file);
  };
  await send("Poster for the autumn concert", "mira@good.example", "jonas@good.example");
  await send("Invoice 2026-1043", "billing@full.example");
  await send("Minutes of the meeting on Tuesday", "team@slow.example", "list@full.example");
  await send("Newsletter of November", "reader@held.example", "other@held.example");
  await send("Lunch tomorrow?", "gone@good.example");
  await queue.idle();
  await queue.suppress({
    account: "ann",
    address: "left@company.example",
    manual: true,
    reason: "asked not to be written to",
  });
}

/** Runs with a server. */
export async function withAdminSite(
  fn: (s: AdminSite) => Promise<void>,
  o: AdminSiteOptions = {},
): Promise<void> {
  for (const pkg of ["smtpclient", "queue", "webhook", "reports", "http"]) setLevel(pkg, "error");
  const dir = await Deno.makeTempDir({ prefix: "mox-adminsite-" });
  await using host = await fakeHost({
    rcpt: (line) =>
      line.includes("full.example")
        ? "452 4.2.2 The mailbox of billing is over its quota"
        : line.includes("gone@")
        ? "550 5.1.1 There is no such user here"
        : undefined,
  });
  await using hook = await receiver((n, res) => {
    res.statusCode = n % 3 === 1 ? 500 : 200;
    res.end(res.statusCode === 200 ? "fine" : "the database is away");
  });
  const [http, smtp, imap] = await freePorts(3);
  const ports = { http, smtp, imap };
  await Deno.mkdir(`${dir}/config`);
  await Deno.mkdir(`${dir}/data/tmp`, { recursive: true });
  await Deno.writeTextFile(`${dir}/config/mox.conf`, conf(ports, o.pages ?? allPages));
  await Deno.writeTextFile(`${dir}/config/domains.conf`, domainsConf(hook.url));
  await Deno.writeTextFile(`${dir}/config/adminpasswd`, await hashPassword(adminPassword));
  const config = await Config.load(`${dir}/config/mox.conf`);
  if (!o.empty) {
    await fillReports(config.dataDir);
    await noteBackup(config.dataDir, {
      destination: "/backup/mox",
      started: Date.now() - 7_300_000,
      ended: Date.now() - 7_200_000,
      ok: true,
      text: "9 databases; 1204 message files linked, 0 copied",
    });
  }
  const resolver = scriptedResolver(zone);
  const server = await MailServer.start({
    config,
    local: false,
    outgoing: { resolver, port: host.port },
    receiving: { resolver },
    prepare: (accounts) => setAccountPassword(accounts, "ann", userPassword),
    loginClock: o.loginClock,
  });
  try {
    if (!o.empty) {
      await admin.addDomain(config, "concert.example", { account: "ann" });
      await admin.addDomain(config, "moved.example", { account: "ann", disabled: true });
      for (const name of ["ben", "office", "archive"]) {
        await admin.addAccount(config, server.accounts, name, `${name}@concert.example`);
        await setAccountPassword(server.accounts, name, userPassword);
      }
      await admin.disableLogin(config, "archive", "Kept for the accounts of 2024.");
      await admin.addAlias(config, "team@concert.example", [
        "ben@concert.example",
        "office@concert.example",
        "ann@mox.example",
      ], { postPublic: true, listMembers: true });
      await admin.addAddress(config, "@concert.example", "office");
      await config.writeDynamic((d) => {
        d.WebDomainRedirects = new Map([["www.concert.example", "concert.example"]]);
      });
      await fillQueue(server, dir);
    }
    new Log("adminsite").debug("ready");
    await fn({ server, config, dir, origin: `http://localhost:${http}`, ports });
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Puts messages into a mailbox, as if they had come there some days ago. */
export async function putOldMail(
  s: AdminSite,
  name: string,
  mailbox: string,
  days: number,
  times: number,
): Promise<void> {
  const account = await s.server.accounts.open(name);
  try {
    const file = `${s.dir}/old-message`;
    const text = "Subject: old\r\n\r\nold\r\n";
    await Deno.writeTextFile(file, text);
    for (let i = 0; i < times; i++) {
      await account.deliver(mailbox, { file, fileSize: text.length, prefix: new Uint8Array(0) });
    }
    const { id } = account.mailboxByName(mailbox)!;
    const at = Date.now() - days * day;
    await account.writer.write(() =>
      account.db.run("UPDATE messages SET received = ?, saved = ? WHERE mailbox_id = ?", at, at, id)
    );
  } finally {
    account.close();
  }
}

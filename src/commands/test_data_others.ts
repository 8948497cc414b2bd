/**
 * The databases other than those of mail in the folder created by `gentestdata`, each with some data: junk filter,
 * search index, sessions, logins, keys, shares, reports, policies, webhooks, answers of the web API.
 *
 * @module
 */
import { JunkFigures } from "../delivery/junk_figures.ts";
import { Greylist } from "../delivery/greylist.ts";
import { ScanLearning } from "../delivery/scan_learning.ts";
import { asEmailId, asMailboxId } from "../store/ids.ts";
import { SieveDatabase } from "../delivery/sieve/database.ts";
import { ObjectStore } from "../jmap/mod.ts";
import { calendarObject, cardObject } from "../groupware/objects.ts";
import { JunkFilter } from "../junk/mod.ts";
import { ListsDatabase } from "../lists/database.ts";
import { withTempFile } from "../platform/files.ts";
import { Log } from "../log/mod.ts";
import { Authorities, Outbound } from "../net/mod.ts";
import { selfSignedCertificate } from "../net/mod.ts";
import { Webhooks } from "../queue/webhooks/mod.ts";
import {
  DmarcEvaluations,
  DmarcReports,
  FailureReports,
  type PolicyPublished,
  TlsReports,
  TlsResults,
} from "../reports/mod.ts";
import type { Account } from "../store/account/account.ts";
import { Followed } from "../store/import/followed.ts";
import { LoginLog } from "../store/logins/attempts.ts";
import { Shares } from "../store/mailboxes/shares.ts";
import { TlsKeys } from "../store/logins/tls_keys.ts";
import { StsCache } from "../tlspolicy/sts_cache.ts";
import { Sessions } from "../web/login/mod.ts";
import { requestHash, SeenRequests } from "../web/webapi/seen_requests.ts";
import { Snoozed } from "../web/webmail/scheduled/snoozed.ts";
import { Subscriptions } from "../web/webmail/push/subscriptions.ts";
import { ScheduledRows } from "../web/webmail/sending/rows.ts";

const time = Date.UTC(2026, 10, 23, 10);
const day = 86_400_000;

/** An account's data other than mail: a junk filter, and a search index. */
export async function fillBesideMail(account: Account): Promise<void> {
  const filter = await JunkFilter.open(account.dir);
  try {
    for (let i = 0; i < 20; i++) {
      filter.train(true, ["meeting", "minutes", `ham${i}`]);
      filter.train(false, ["lottery", "winner", `spam${i}`]);
    }
    await filter.flush();
  } finally {
    await filter.close();
  }
  await account.fulltext.update();
  const inbox = account.mailboxByName("Inbox")!;
  const first = account.messageByUid(inbox.id, account.uids(inbox.id)[0])!;
  await filled(Followed.open(account, "test1@old.example"), (followed) =>
    followed.note([{
      id: first.id,
      mailboxId: inbox.id,
      from: {
        place: "",
        below: "Inbox",
        content: new Uint8Array(0),
        flags: 0,
        keywords: [],
        received: time,
        origin: { mailbox: "INBOX", validity: "1", uid: 7, flags: ["\\Seen", "work"] },
      },
    }]));
  const groupware = await account.groupware();
  const [calendar, book] = [
    groupware.collection("calendars", "default")!,
    groupware.collection("addressbooks", "default")!,
  ];
  const text = (lines: string[]) => new TextEncoder().encode(`${lines.join("\r\n")}\r\n`);
  await groupware.put(
    calendar.id,
    calendarObject(
      "meeting.ics",
      text([
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//mox//test data//EN",
        "BEGIN:VEVENT",
        "UID:meeting@mox.example",
        "DTSTAMP:20261123T100000Z",
        "DTSTART:20261124T100000Z",
        "DTEND:20261124T110000Z",
        "RRULE:FREQ=WEEKLY",
        "SUMMARY:Meeting",
        "END:VEVENT",
        "END:VCALENDAR",
      ]),
    ),
  );
  const person = ["UID:ann@mox.example", "FN:Ann", "EMAIL:ann@remote.example"];
  await groupware.put(
    book.id,
    cardObject("ann.vcf", text(["BEGIN:VCARD", "VERSION:4.0", ...person, "END:VCARD"])),
  );
}

/** Opens something, fills it, and closes it. */
async function filled<T extends { close(): Promise<void> }>(
  opened: Promise<T>,
  fill: (t: T) => void | Promise<unknown>,
): Promise<void> {
  const t = await opened;
  try {
    await fill(t);
  } finally {
    await t.close();
  }
}

/** Creates the databases at the top of a data folder. */
export async function makeOtherDatabases(data: string): Promise<void> {
  const login = { account: "test1", login: "test1@mox.example", remoteIp: "192.0.2.7" };
  await filled(ObjectStore.open(data), async (store) => {
    await store.add("test1", "identity", {
      name: "Test",
      email: "test1@mox.example",
      replyTo: null,
      bcc: null,
      textSignature: "-- \nTest\n",
      htmlSignature: "",
      ofAddress: true,
    });
    await store.key("test", () => Promise.resolve("a key"));
  });
  await filled(JunkFigures.open(data, () => time), (f) => f.note("test1", "good"));
  await filled(Sessions.open(data), (sessions) => {
    sessions.create({ ...login, service: "webmail", userAgent: "Browser 1.0" });
    sessions.create({ ...login, service: "account", userAgent: "Browser 1.0" });
  });
  await filled(LoginLog.open(data, () => time), (log) => {
    const attempt = { ...login, service: "imap", mechanism: "plain", client: "Program 2" };
    log.note({ ...attempt, result: "ok" });
    log.note({ ...attempt, result: "badcreds" });
  });
  await filled(ListsDatabase.open(data), async (database) => {
    const list = "news@mox.example";
    database.members.add(list, [{ address: "ann@remote.example", name: "Ann" }], time);
    const text = new TextEncoder().encode(
      "From: <ann@remote.example>\r\nSubject: x\r\n\r\nhello\r\n",
    );
    const post = {
      list,
      messageId: "post@remote.example",
      inReplyTo: "",
      author: "ann@remote.example",
      authorName: "Ann",
      subject: "x",
      received: time,
      size: text.length,
      vouched: true,
      smtputf8: false,
      has8bit: false,
      binary: false,
      requireTls: false,
      arc: "",
      reason: "",
    };
    await withTempFile(data, "post-", text, async (file) => {
      await database.posts.add({ ...post, state: "sent" }, file);
      await database.posts.add(
        { ...post, state: "held", reason: "its author is not a member" },
        file,
      );
    });
    const of = { list, address: "bob@remote.example", name: "", submitted: time };
    database.requests.add({ ...of, kind: "subscribe", state: "confirm" });
  });
  const { cert } = await selfSignedCertificate({ names: ["test1"] });
  await filled(TlsKeys.open(data), (k) => k.add(login, cert, "a laptop"));
  await filled(Shares.open(data), (s) => s.add("test1", "test2@mox.example"));
  await filled(
    SeenRequests.open(data, () => time),
    async (s) =>
      s.once(
        "test1",
        "request-1",
        await requestHash(new Uint8Array([1])),
        () => Promise.resolve({ ok: true }),
      ),
  );
  await filled(ScheduledRows.open(data), (rows) =>
    rows.add({
      account: "test1",
      message: 1,
      mailbox: 1,
      due: time + 365 * day,
      requireTls: null,
      archiveThread: false,
      messageId: "6f0ac9f6-6f0e-4d0c-9c0b-0d6a6b8a8d11@mox.example",
    }));
  await filled(SieveDatabase.open(data, () => time), async (database) => {
    await database.scripts.put(
      "test1",
      "main",
      'require "fileinto";\nif true { fileinto "Lists"; }\n',
    );
    await database.scripts.put("test1", "other", "keep;\n");
    await database.scripts.setActive("test1", "main");
    await database.memory.remember("test1", [{ key: "k1", seconds: 1000 * 86_400 }]);
    const steps = [{ script: "main", line: 2, text: "filed into Lists" }];
    database.log.add("test1", asEmailId(1), { from: "a@remote.example", subject: "x", steps });
  });
  const from = { network: "192.0.2.0/21", mailFrom: "a@remote.example", rcptTo: "b@mox.example" };
  const times = { Delay: 60_000, Window: day, Keep: 30 * day };
  await filled(Greylist.open(data), (g) => g.wait(from, times, time));
  const learning = ScanLearning.open(
    data,
    { learning: ["rspamd"], teach: () => Promise.resolve() },
    { open: () => Promise.reject(new Error("not opened")) },
    () => false,
    time + 1000 * day,
  );
  await filled(learning, (l) => l.note("test1", [1]));
  await filled(Subscriptions.open(data), (subscriptions) =>
    subscriptions.add({
      endpoint: "https://push.example/1",
      account: "test1",
      session: 1,
      p256dh: new Uint8Array(65).fill(4),
      auth: new Uint8Array(16),
      mailboxes: ["Inbox"],
    }));
  const snoozed = Snoozed.open({
    dataDir: data,
    accounts: { open: () => Promise.reject(new Error("not opened")) },
    known: () => false,
    tempDir: data,
    log: new Log("webmail"),
  });
  await filled(
    snoozed,
    (snoozed) =>
      snoozed.add(
        "test1",
        [{ message: 1, mailbox: asMailboxId(1), back: asMailboxId(1) }],
        time + 365 * day,
      ),
  );
  await filled(StsCache.open(data), (cache) =>
    cache.put({
      domain: "remote.example",
      recordId: "20261123",
      fetched: time,
      expires: time + day,
      used: time,
      mode: "enforce",
      mx: ["*.remote.example"],
      maxAge: 86_400,
      lines: ["version: STSv1", "mode: enforce", "mx: *.remote.example", "max_age: 86400"],
    }));
  await makeReports(data);
  const webhooks = await Webhooks.open(data, {
    // Nothing is called.
    outbound: new Outbound({ authorities: Authorities.of(), lookup: () => Promise.resolve([]) }),
    log: new Log("webhook"),
    retiredPeriod: () => 0,
  });
  try {
    for (const event of ["incoming", "delivered"]) {
      await webhooks.add({
        account: "test1",
        url: "https://hooks.example.org/",
        authorization: "Bearer x",
        event,
        queueMsgId: event === "incoming" ? 0 : 1,
        fromId: "",
        messageId: "<m30@example.org>",
        subject: "message 30",
        payload: '{"Version":0}',
      });
    }
  } finally {
    await webhooks.stop();
  }
}

async function makeReports(data: string): Promise<void> {
  const policy: PolicyPublished = {
    domain: "mox.example",
    adkim: "r",
    aspf: "r",
    p: "reject",
    sp: "reject",
    pct: 100,
    fo: "",
  };
  await filled(DmarcReports.open(data), (reports) =>
    reports.add(
      {
        version: "1.0",
        orgName: "Remote",
        email: "reports@remote.example",
        extraContactInfo: "",
        reportId: "r1",
        begin: (time - day) / 1000,
        end: time / 1000,
        errors: [],
        policy,
        records: [{
          sourceIp: "192.0.2.7",
          count: 3,
          disposition: "none",
          dkim: "pass",
          spf: "fail",
          reasons: [],
          envelopeTo: "remote.example",
          envelopeFrom: "mox.example",
          headerFrom: "mox.example",
          dkimResults: [],
          spfResults: [{ domain: "mox.example", scope: "mfrom", result: "fail" }],
        }],
      },
      "remote.example",
      time,
    ));
  await filled(FailureReports.open(data), (reports) =>
    reports.add(
      {
        kind: "dmarc",
        domain: "mox.example",
        sourceIp: "192.0.2.7",
        delivery: "reject",
        dkimDomain: "",
        dkimSelector: "",
        spfDns: "",
        arrival: time,
        incidents: 1,
        mailFrom: "x@forger.example",
        recipients: ["y@remote.example"],
        from: "test1@mox.example",
        subject: "Invoice",
        messageId: "<1@forger.example>",
      },
      "remote.example",
      "<f1@remote.example>",
      time,
    ));
  await filled(DmarcEvaluations.open(data), (evaluations) => {
    evaluations.add({
      policyDomain: "remote.example",
      evaluated: time,
      optional: false,
      intervalHours: 24,
      addresses: [{ address: "mailto:dmarc@remote.example" }],
      policy: { ...policy, domain: "remote.example" },
      sourceIp: "192.0.2.9",
      disposition: "none",
      alignedDkimPass: true,
      alignedSpfPass: false,
      reasons: [],
      envelopeTo: "mox.example",
      envelopeFrom: "remote.example",
      headerFrom: "remote.example",
      dkimResults: [],
      spfResults: [],
    });
    evaluations.suppress("loop@remote.example", time + 1000 * day, "sends reports about reports");
  });
  const results = [{
    policyType: "sts" as const,
    policyString: ["version: STSv1"],
    policyDomain: "remote.example",
    mxHost: ["mx.remote.example"],
    totalSuccessfulSessionCount: 5,
    totalFailureSessionCount: 0,
    failures: [],
  }];
  await filled(TlsReports.open(data), (reports) =>
    reports.add({
      received: time,
      domain: "mox.example",
      fromDomain: "remote.example",
      mailFrom: "reports@remote.example",
      hostReport: false,
      report: {
        organizationName: "Remote",
        begin: time - day,
        end: time,
        contactInfo: "reports@remote.example",
        reportId: "t1",
        policies: results,
      },
    }));
  await filled(TlsResults.open(data), (r) =>
    r.add({
      day: "20261123",
      policyDomain: "remote.example",
      recipientDomain: "remote.example",
      isHost: false,
      wanted: true,
      results,
    }));
}

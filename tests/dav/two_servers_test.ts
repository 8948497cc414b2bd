/** Two servers that schedule with each other by mail (RFC 6047): invitation, answer, change, cancellation. */
import assert from "node:assert/strict";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { opportunistic } from "../../src/tlspolicy/mod.ts";
import { freePorts } from "../serve/instance.ts";
import { DavClient, event, password } from "./world.ts";
import { unfold } from "./unfold.ts";

/** Waits until something is so; each look is of the state itself. */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never came: ${what}`);
}

interface Side {
  server: MailServer;
  user: DavClient;
  dir: string;
}

/** A server with one account, whose mail goes to the other one's port. */
async function start(
  name: string,
  domain: string,
  ports: { http: number; smtp: number; peer: number },
): Promise<Side> {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data\nLogLevel: error\nHostname: mail.${domain}\nListeners:\n\tweb:\n\t\tIPs:\n` +
      `\t\t\t- 127.0.0.1\n\t\tSMTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${ports.smtp}\n\t\t\tNoSTARTTLS: true\n` +
      `\t\t\tFirstTimeSenderDelay: 0s\n\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${ports.http}\n` +
      `Postmaster:\n\tAccount: ${name}\n\tMailbox: Postmaster\n` +
      `InitialMailboxes:\n\tSpecialUse:\n\t\tSent: Sent\n\t\tArchive: Archive\n\t\tTrash: Trash\n` +
      `\t\tDraft: Drafts\n\t\tJunk: Junk\n`,
  );
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:\n\t${domain}: nil\nAccounts:\n\t${name}:\n\t\tDomain: ${domain}\n` +
      `\t\tDestinations:\n\t\t\t${name}@${domain}: nil\n`,
  );
  const zone = (d: string) => ({
    [d]: {
      MX: [`10 mail.${d}`],
      A: ["127.0.0.1"],
      TXT: ["v=spf1 ip4:127.0.0.1 -all"],
      authenticated: true,
    },
    [`mail.${d}`]: { A: ["127.0.0.1"], authenticated: true },
    [`_dmarc.${d}`]: { TXT: ["v=DMARC1; p=reject"] },
  });
  const resolver = scriptedResolver({ ...zone("one.example"), ...zone("two.example") });
  const server = await MailServer.start({
    config: await Config.load(`${dir}/mox.conf`),
    local: false,
    outgoing: { resolver, port: ports.peer, tlsPolicy: opportunistic },
    receiving: { resolver },
    prepare: (accounts) => setAccountPassword(accounts, name, password),
  });
  const user = new DavClient(`http://127.0.0.1:${ports.http}/dav/`, `${name}@${domain}`);
  return { server, user, dir };
}

Deno.test("two servers invite, answer, change and call off by mail", async () => {
  const [h1, s1, h2, s2] = await freePorts(4);
  const one = await start("ann", "one.example", { http: h1, smtp: s1, peer: s2 });
  const two = await start("bob", "two.example", { http: h2, smtp: s2, peer: s1 });
  try {
    const mine = "calendars/ann/default/m.ics";
    const made = await one.user.put(
      mine,
      event(
        "between",
        "DTSTART;TZID=Europe/Berlin:20270105T100000",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "SUMMARY:Jour fixe – Größe",
        "ORGANIZER;CN=Ann:mailto:ann@one.example",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@one.example",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@two.example",
      ),
    );
    assert.equal(made.status, 201, made.text);
    const theirs = (want: RegExp) =>
      until(`bob's event with ${want}`, async () => {
        const list = await two.user.propfind("calendars/bob/default/", "<D:getetag/>", "1");
        for (const r of list.filter((x) => x.href.endsWith(".ics"))) {
          const text = unfold((await two.user.send("GET", r.href)).text);
          if (want.test(text)) return { href: r.href, text };
        }
      });
    const invited = await theirs(/SUMMARY:Jour fixe – Größe/);
    assert.match(invited.text, /RRULE:FREQ=WEEKLY;COUNT=4/);
    // Bob accepts: Ann's event says so.
    const accepted = invited.text.replace(/PARTSTAT=NEEDS-ACTION/, "PARTSTAT=ACCEPTED");
    assert.notEqual(accepted, invited.text);
    assert.equal((await two.user.put(invited.href, accepted)).status, 204);
    const answered = await until("the answer", async () => {
      const text = unfold((await one.user.send("GET", mine)).text);
      return /PARTSTAT=ACCEPTED[^\r]*:mailto:bob/.test(text) ? text : undefined;
    });
    // Ann moves it, in one date too; then calls it off.
    const moved = answered.replace("DURATION:PT1H", "DURATION:PT2H\r\nSEQUENCE:1")
      .replace("COUNT=4", "COUNT=5");
    assert.equal((await one.user.put(mine, moved)).status, 204);
    const follows = await theirs(/DURATION:PT2H/);
    assert.match(follows.text, /COUNT=5/);
    assert.equal((await one.user.send("DELETE", mine)).status, 204);
    await theirs(/STATUS:CANCELLED/);
  } finally {
    await one.server.stop();
    await two.server.stop();
    for (const s of [one, two]) await Deno.remove(s.dir, { recursive: true });
  }
});

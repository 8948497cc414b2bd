/** A node and its standby in tests: their folders, load, and what is to be there. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { callControl } from "../../src/serve/control/control.ts";
import type { StandbyState } from "../../src/serve/nodes/standby.ts";
import { Talk } from "../support/talk.ts";
import { freePorts, moxIn, type RunningServer } from "./instance.ts";
import { makeNodeFolder } from "./node_folder.ts";

export const password = "moxmoxmox";

/** A machine of the test: the node's own place, or the standby's. */
export interface Place {
  dir: string;
  smtp: number;
  imap: number;
  link: number;
  key: string;
  server: RunningServer;
}

export const conf = (p: Place) => ["-config", `${p.dir}/config/mox.conf`];

export async function prepare(standby: boolean, relay: number): Promise<Place> {
  const [smtp, imap, link] = await freePorts(3);
  const { dir, key } = await makeNodeFolder(
    "mox-standby-",
    `DataDir: ../data
LogLevel: info
User: 54321
Hostname: mail.mox.example
Node: one
Listeners:
	public:
		IPs:
			- 127.0.0.1
		SMTP:
			Enabled: true
			Port: ${smtp}
			NoSTARTTLS: true
			FirstTimeSenderDelay: 0s
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
Transports:
	relay:
		SMTP:
			Host: relay.example
			Port: ${relay}
			NoSTARTTLS: true
`,
    ...(standby ? ["-standby"] : []),
  );
  return { dir, smtp, imap, link, key } as Place;
}

export const domainsConf = (home: Place, standby: Place) =>
  `Domains:
	mox.example: nil
Nodes:
	one:
		Address: 127.0.0.1
		Port: ${home.link}
		Key: ${home.key}
		Standby:
			Address: 127.0.0.1
			Port: ${standby.link}
			Key: ${standby.key}
Routes:
	-
		Transport: relay
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`;

export async function subjects(p: Place): Promise<Set<string>> {
  const t = Talk.to(p.imap, "127.0.0.1");
  await t.expect(/^\* OK.*\r\n/m);
  await t.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
  await t.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
  const all = await t.say(
    "c FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n",
    /^c (?:OK|BAD|NO).*\r\n/m,
  );
  t.close();
  return new Set([...all.matchAll(/^Subject: (\S+)/gm)].map((m) => m[1]));
}

/** Sends messages on some connections until it is ended or the server is gone. */
export function load(p: Place, prefix: string) {
  const acknowledged = new Map<string, number>();
  const enough = Promise.withResolvers<void>();
  let going = true;
  const connection = async (c: number) => {
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: p.smtp,
      ignoreTLS: true,
      pool: true,
      maxConnections: 1,
      maxMessages: Infinity,
    });
    try {
      for (let i = 0; going; i++) {
        const id = `${prefix}-${c}-${i}`;
        await transport.sendMail({
          envelope: { from: "sue@sender.example", to: "ann@mox.example" },
          raw: `From: <sue@sender.example>\r\nTo: <ann@mox.example>\r\nSubject: ${id}\r\n` +
            `Message-Id: <${id}@sender.example>\r\n\r\n${"Hello there. ".repeat(20)}\r\n`,
        });
        acknowledged.set(id, Date.now());
        if (acknowledged.size >= 60) enough.resolve();
      }
    } catch {
      // The server is gone.
    } finally {
      enough.resolve();
      transport.close();
    }
  };
  const running = Promise.all([0, 1, 2].map(connection));
  return {
    acknowledged,
    enough: enough.promise,
    async end() {
      going = false;
      await running;
    },
  };
}

export const state = async (p: { dir: string }) =>
  await callControl(`${p.dir}/data`, "standby state") as unknown as StandbyState;

/** Waits until the copy has what was committed by now. */
export async function caughtUp(p: { dir: string }): Promise<void> {
  const now = Date.now();
  while ((await state(p)).upToDate < now) await new Promise((r) => setTimeout(r, 20));
}

/** What no one may have lost is there, in a folder that nobody uses. */
export async function verified(p: Place, folder = `${p.dir}/data`): Promise<void> {
  const v = await moxIn(p.dir, ["verifydata", folder]);
  const findings = v.stdout.split("\n").filter((l) => l.startsWith("warning:"));
  // Files come before the rows that name them; a start removes what a kill leaves of that.
  assert.deepEqual(findings.filter((l) => !l.endsWith(": no row names this file")), [], v.stdout);
}

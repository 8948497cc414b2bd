/** A server with mailing lists, and a host that has its members. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { setLevel } from "../../src/log/mod.ts";
import { type FakeHost, fakeHost, type FakeMail, type FakeOptions } from "../smtp/fake_host.ts";
import { keyRecord } from "../senderauth/messages.ts";
import { freePorts } from "../serve/instance.ts";
import { type Mail, mail, type Receiver, startReceiver } from "../serve/receiver.ts";

setLevel("lists", "error");

export const rsa = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

/** domains.conf with the lists; lines of `news` are indented by four tabs. */
export const listDomains = (news = "", more = "") =>
  `Domains:
	ours.example:
		DKIM:
			Selectors:
				r:
					PrivateKeyFile: rsa.pem
					Canonicalization:
						HeaderRelaxed: true
						BodyRelaxed: true
			Sign:
				- r
		Lists:
			news:
				Name: News
				Owners:
					- ann@ours.example
${news}${more}Accounts:
	ann:
		Domain: ours.example
		Destinations:
			ann@ours.example: nil
`;

/** The server, and all that it sends to others. */
export interface ListWorld extends AsyncDisposable {
  r: Receiver;
  host: FakeHost;
  /** Where the pages are, without a slash at the end. */
  pages: string;
  now: { value: number };
  /** Sends a message of joe@sender.example, who is verified. */
  send(
    to: string,
    m?: Partial<Mail> & Parameters<typeof mail>[0],
  ): Promise<{ code: number; text: string }>;
  /** All that has gone out since the last call, when nothing is under way any more. */
  out(): Promise<FakeMail[]>;
}

export async function listWorld(
  o: { domains?: string; host?: FakeOptions; zone?: Record<string, Record<string, string[]>> } = {},
): Promise<ListWorld> {
  const host = await fakeHost({ extensions: ["8BITMIME", "SMTPUTF8"], ...o.host });
  const [web] = await freePorts(1);
  const now = { value: Date.now() };
  const here = { A: ["127.0.0.1"] };
  const r = await startReceiver({
    domains: o.domains ?? listDomains(),
    outgoingPort: host.port,
    files: { "rsa.pem": rsa },
    now: () => now.value,
    smtp: `		ListsHTTP:\n			Enabled: true\n			Port: ${web}\n`,
    zone: {
      "sender.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"], MX: ["10 mx.sender.example."] },
      "away.example": here,
      "home.example": here,
      "plain.example": { ...here, TXT: ["v=spf1 ip4:127.0.0.1 -all"] },
      "ours.example": here,
      "r._domainkey.ours.example": { TXT: [keyRecord(createPrivateKey(rsa))] },
      ...o.zone,
    },
  });
  let seen = 0;
  return {
    r,
    host,
    pages: `http://127.0.0.1:${web}/lists`,
    now,
    async send(to, m = {}) {
      const reply = await r.send({
        to,
        text: mail({ to, ...m }),
        sign: "sender.example",
        ...m,
      });
      return { code: reply.code, text: reply.lines.join(" ") };
    },
    async out() {
      await r.server.lists!.sender.idle();
      await r.server.queue.idle();
      const found = host.mails.slice(seen);
      seen = host.mails.length;
      return found;
    },
    async [Symbol.asyncDispose]() {
      await r[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

/** Members that are there without having asked. */
export function addMembers(w: ListWorld, list: string, addresses: readonly string[]): void {
  for (let i = 0; i < addresses.length; i += 200) {
    w.r.server.lists!.db.members.add(
      list,
      addresses.slice(i, i + 200).map((address) => ({ address, name: "" })),
      w.now.value,
    );
  }
}

/** The address in a message that matches. */
export function addressIn(data: string, pattern: RegExp): string {
  const found = pattern.exec(data.replace(/=\r\n/g, ""));
  if (!found) throw new Error(`no ${pattern} in ${data}`);
  return found[0];
}

/** A server that receives mail, in this process, with a scripted DNS; and senders for it. */
import { Config } from "../../src/config/mod.ts";
import { type ScriptedResolver, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { connectTcp } from "../../src/net/mod.ts";
import type { ReceivingOptions } from "../../src/serve/receiving/receiving.ts";
import { MailServer } from "../../src/serve/server.ts";
import { signDkim } from "../../src/senderauth/mod.ts";
import { type Account, consistency } from "../../src/store/account/account.ts";
import { Want } from "../../src/store/types.ts";
import { ed25519Private, keyRecord, message, parts } from "../senderauth/messages.ts";
import { certificate, Client, type Reply } from "../smtp/talk.ts";
import { freePorts } from "./instance.ts";

for (const pkg of ["smtpserver", "serve", "queue"]) setLevel(pkg, "error");
// Counts are checked against messages, and files against rows, whenever an account is closed.
consistency.checkAtClose = true;

/** A sender whose mail passes everything, from this machine; and one of whom nothing is known. */
export const goodZone: Zone = {
  "1.0.0.127.in-addr.arpa": { PTR: ["mx.sender.example."] },
  "mx.sender.example": { A: ["127.0.0.1"] },
  "sender.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] },
  "s1._domainkey.sender.example": { TXT: [keyRecord(ed25519Private)] },
  "_dmarc.sender.example": {
    TXT: ["v=DMARC1; p=reject; rua=mailto:reports@sender.example"],
  },
  "forger.example": { TXT: ["v=spf1 ip4:192.0.2.1 -all"] },
};

/** Accounts of the tests: ann with all that matters, bob, cas and dan, a list and a catch-all. */
export const domainsConf = `Domains:
	ours.example:
		LocalpartCatchallSeparator: +
		DMARC:
			Localpart: dmarc
			Account: ann
			Mailbox: DMARC
		TLSRPT:
			Localpart: tlsrpt
			Account: ann
			Mailbox: TLSRPT
		Aliases:
			team:
				PostPublic: true
				Addresses:
					- ann@ours.example
					- bob@ours.example
					- cas@ours.example
			inner:
				Addresses:
					- ann@ours.example
					- bob@ours.example
	catchall.example: nil
	closed.example:
		Disabled: true
Accounts:
	ann:
		Domain: ours.example
		RejectsMailbox: Rejects
		SubjectPass:
			Period: 12h
		AutomaticJunkFlags:
			Enabled: true
			JunkMailboxRegexp: ^(junk|spam)
			NeutralMailboxRegexp: ^(inbox|rejects|dmarc|tlsrpt)
		JunkFilter:
			Threshold: 0.95
			Params:
				Onegrams: true
				MaxPower: 0.01
				TopWords: 10
				IgnoreWords: 0.1
				RareWords: 2
		Destinations:
			ann@ours.example:
				Rulesets:
					-
						HeadersRegexp:
							^list-id$: <talk\\.sender\\.example>
						ListAllowDomain: sender.example
						Mailbox: Lists/Talk
					-
						SMTPMailFromRegexp: @forwarder\\.example$
						VerifiedDomain: forwarder.example
						IsForward: true
						Mailbox: Forwarded
					-
						MsgFromRegexp: ^maybe@
						AcceptRejectsToMailbox: Maybe
						Mailbox: Inbox
			closed@closed.example: nil
	bob:
		Domain: ours.example
		RejectsMailbox: Rejects
		QuotaMessageSize: 20000
		Destinations:
			bob@ours.example: nil
			gone@ours.example:
				SMTPError: 550 5.1.6 gone away
			robot@ours.example:
				MessageAuthRequiredSMTPError: sign your messages
	cas:
		Domain: ours.example
		Destinations:
			cas@ours.example: nil
	dan:
		Domain: catchall.example
		Destinations:
			@catchall.example: nil
`;

/** A message to send; by default a good one of joe@sender.example for ann. */
export interface Mail {
  from?: string;
  to?: string | string[];
  /** Header lines and body, with LF. */
  text: string;
  ehlo?: string;
  /** Signs as this domain, with selector s1. */
  sign?: string;
  /** Without TLS. */
  plain?: boolean;
  /** What follows the addresses in MAIL and RCPT. */
  mailParameters?: string;
  rcptParameters?: string;
}

export interface Receiver extends AsyncDisposable {
  server: MailServer;
  dir: string;
  port: number;
  resolver: ScriptedResolver;
  /** Sends a message in a connection of its own; the answer to the message, or to what was refused before. */
  send(m: Mail): Promise<Reply>;
  /** Runs with the account open. */
  account<T>(name: string, fn: (a: Account) => T | Promise<T>): Promise<T>;
  /** Contents of the messages of a mailbox, as stored, with CRLF. */
  messages(account: string, mailbox: string): Promise<string[]>;
}

export interface ReceiverOptions extends Omit<ReceivingOptions, "resolver"> {
  zone?: Zone;
  domains?: string;
  /** Port of other servers, all on 127.0.0.1. */
  outgoingPort?: number;
  /** Files beside mox.conf, by name. */
  files?: Record<string, string>;
  /** More of mox.conf. */
  extra?: string;
  /** Lines of the block SMTP of the listener, indented by three tabs. */
  smtp?: string;
}

/** Starts a server; first-time senders don't wait unless a wait is given. */
export async function startReceiver(o: ReceiverOptions = {}): Promise<Receiver> {
  const dir = await Deno.makeTempDir({ prefix: "mox-receive-" });
  const [port] = await freePorts(1);
  await Deno.mkdir(`${dir}/config`);
  await Deno.writeTextFile(`${dir}/config/cert.pem`, certificate.cert);
  await Deno.writeTextFile(`${dir}/config/key.pem`, certificate.key);
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: error
User: 54321
Hostname: mail.example
Listeners:
	public:
		IPs:
			- 127.0.0.1
		TLS:
			KeyCerts:
				-
					CertFile: cert.pem
					KeyFile: key.pem
		SMTP:
			Enabled: true
			Port: ${port}
${o.smtp ?? ""}Postmaster:
	Account: ann
	Mailbox: Inbox
${o.extra ?? ""}`,
  );
  await Deno.writeTextFile(`${dir}/config/domains.conf`, o.domains ?? domainsConf);
  for (const [name, text] of Object.entries(o.files ?? {})) {
    await Deno.writeTextFile(`${dir}/config/${name}`, text);
  }
  const config = await Config.load(`${dir}/config/mox.conf`);
  const resolver = scriptedResolver({ ...goodZone, ...o.zone });
  const server = await MailServer.start({
    config,
    local: false,
    outgoing: o.outgoingPort === undefined ? undefined : { resolver, port: o.outgoingPort },
    receiving: {
      wait: () => Promise.resolve(true),
      random: () => 0.5,
      ...o,
      resolver,
    },
  });
  const account: Receiver["account"] = async (name, fn) => {
    // It may be another one meanwhile, which a test started on the same folder.
    const a = await receiver.server.accounts.open(name);
    try {
      return await fn(a);
    } finally {
      a.close();
    }
  };
  const receiver: Receiver = {
    server,
    dir,
    port,
    resolver,
    send: (m) => send(port, m),
    account,
    messages: (name, mailbox) =>
      account(name, (a) => {
        const id = a.mailboxByName(mailbox)?.id;
        const found: string[] = [];
        if (id === undefined) return found;
        a.fetch(id, a.uids(id), Want.Content, (row) => {
          const reader = a.openRow(row);
          found.push(new TextDecoder().decode(reader.read(0, reader.size)));
          reader.close();
        });
        return found;
      }),
    async [Symbol.asyncDispose]() {
      await receiver.server.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
  return receiver;
}

/** The bytes of a message, signed if asked for. */
export async function composed(m: Mail): Promise<Uint8Array> {
  const bytes = message(m.text);
  if (m.sign === undefined) return bytes;
  const signers = [{ domain: m.sign, selector: "s1", privateKey: ed25519Private }];
  const field = await signDkim({ ...parts(bytes), signers, now: new Date() });
  return message(field.replaceAll("\r\n", "\n") + m.text);
}

async function send(port: number, m: Mail): Promise<Reply> {
  const conn = await connectTcp({ host: "127.0.0.1", port, readTimeout: 60_000 });
  await using client = new Client(conn);
  const hello = `EHLO ${m.ehlo ?? "mx.sender.example"}\r\n`;
  await client.expect(220);
  await client.send(hello);
  await client.expect(250);
  if (!m.plain) {
    await client.command("STARTTLS", 220);
    await client.startTls();
    await client.send(hello);
    await client.expect(250);
  }
  await client.command(
    `MAIL FROM:<${m.from ?? "joe@sender.example"}>${m.mailParameters ?? ""}`,
    250,
  );
  for (const to of [m.to ?? "ann@ours.example"].flat()) {
    await client.send(`RCPT TO:<${to}>${m.rcptParameters ?? ""}\r\n`);
    const reply = await client.reply();
    if (reply.code !== 250) return reply;
  }
  await client.command("DATA", 354);
  const text = new TextDecoder().decode(await composed(m)).replaceAll("\r\n.", "\r\n..");
  await client.send(`${text}\r\n.\r\n`);
  return await client.reply();
}

let count = 0;

/** A good message with a Message-ID of its own. */
export function mail(
  over: {
    from?: string;
    to?: string;
    subject?: string;
    messageId?: string;
    headers?: string;
    body?: string;
  } = {},
): string {
  return `From: <${over.from ?? "joe@sender.example"}>
To: <${over.to ?? "ann@ours.example"}>
Subject: ${over.subject ?? "hello"}
Message-ID: ${over.messageId ?? `<m${++count}@sender.example>`}
${over.headers ?? ""}
${over.body ?? "How are you?"}
`;
}

/** Configuration texts that the tests start from. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { type Dynamic, readDynamic, readStatic, type Static } from "../../src/config/mod.ts";
import { selfSignedCertificate } from "../../src/net/mod.ts";

/** As short as a mox.conf can be. */
export const smallStatic = `DataDir: ../data
LogLevel: info
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- 192.0.2.10
		TLS:
			KeyCerts:
				-
					CertFile: mail.crt
					KeyFile: mail.key
		SMTP:
			Enabled: true
		MTASTSHTTPS:
			Enabled: true
		WebserverHTTPS:
			Enabled: true
Postmaster:
	Account: ann
	Mailbox: Postmaster
Transports:
	relay:
		Submission:
			Host: smtp.relay.example
`;

/** As short as a domains.conf can be that has one of most things. */
export const smallDynamic = `Domains:
	mox.example:
		LocalpartCatchallSeparator: +
		Aliases:
			team:
				Addresses:
					- ann@mox.example
					- bob@mox.example
				AllowMsgFrom: true
	case.example:
		LocalpartCaseSensitive: true
	b\u00fccher.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
			Ann@case.example: nil
			"odd one"@mox.example: nil
	bob:
		Domain: mox.example
		Destinations:
			bob@mox.example:
				Mailbox: Private
			@b\u00fccher.example: nil
`;

/** The values of a mox.conf that must be right. */
export function staticOf(text: string): Static {
  const { value, problems } = readStatic(text);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return value;
}

/** The values of a domains.conf that must be right. */
export function dynamicOf(text: string, s = staticOf(smallStatic)): Dynamic {
  const { value, problems } = readDynamic(text, s);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return value;
}

/** A folder with the files that a configuration names, removed at the end. */
export async function inConfigDir(f: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(dir, "dkim"));
    const pair = await selfSignedCertificate({ names: ["mail.mox.example"] });
    const pem = { type: "pkcs8", format: "pem" } as const;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export(pem);
    const ed = generateKeyPairSync("ed25519").privateKey.export(pem);
    const files: Record<string, string> = {
      "mail.crt": pair.cert,
      "mail.key": pair.key,
      "rsa.key": rsa.toString(),
      "dkim/rsa.pem": rsa.toString(),
      "dkim/ed25519.pem": ed.toString(),
    };
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(dir, name), text);
    }
    await f(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

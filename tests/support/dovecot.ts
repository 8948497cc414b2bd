/**
 * Dovecot with a configuration of its own in a temporary folder: as an IMAP server, and by doveadm as a reader and
 * writer of Maildirs and mailbox files. Mail belongs to "nobody", so it needs root.
 *
 * @module
 */
import { join } from "node:path";
import { answers } from "./listening.ts";
import { freePorts } from "./ports.ts";
import { lacks } from "./programs.ts";

/** For `Deno.test({ ignore: noDovecot, ... })`. */
export const noDovecot = lacks("dovecot") || Deno.build.os === "windows" || Deno.uid() !== 0;

const nobody = 65534;

async function run(program: string, args: string[], o: Deno.CommandOptions = {}): Promise<string> {
  const r = await new Deno.Command(program, { args, ...o, stdout: "piped", stderr: "piped" })
    .output();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  if (!r.success) {
    throw new Error(`${program} ${args.join(" ")}: ${text(r.stderr)}${text(r.stdout)}`);
  }
  return text(r.stdout);
}

/** Gives files to the user that Dovecot runs as. */
export async function giveToNobody(path: string): Promise<void> {
  await run("chown", ["-R", `${nobody}:${nobody}`, path]);
}

/**
 * doveadm on mail in files, without a server.
 * @param location such as `maildir:/path`
 */
export function doveadm(home: string, location: string, input?: string) {
  const options = [
    `mail_location=${location}`,
    "first_valid_uid=1",
    "log_path=/dev/stderr",
    "stats_writer_socket_path=",
    "ssl=no",
    "namespace/inbox/inbox=yes",
    "namespace/inbox/separator=/",
  ];
  return async (...args: string[]): Promise<string> => {
    const file = join(home, "doveadm-input");
    await Deno.writeTextFile(join(home, "doveadm.conf"), "namespace inbox {\n  inbox = yes\n}\n");
    await Deno.writeTextFile(file, input ?? "");
    const all = ["-c", join(home, "doveadm.conf"), ...options.flatMap((o) => ["-o", o]), ...args];
    return await run("sh", ["-c", `exec doveadm "$@" < ${file}`, "sh", ...all], {
      uid: nobody,
      gid: nobody,
      env: { HOME: home, USER: "nobody" },
    });
  };
}

export interface Dovecot {
  port: number;
  /** Port of LMTP; 0 without. */
  lmtp: number;
  /** The account's Maildir, once it has mail. */
  maildir: string;
  user: string;
  password: string;
  /** Token that is taken by XOAUTH2 and OAUTHBEARER. */
  token: string;
  stop(): Promise<void>;
}

/** What {@link startDovecot}'s account may hold is limited, with a quota root of this name. */
export const dovecotQuotaRoot = "User quota";

/**
 * An IMAP server with an empty account, whose mailbox of sent mail is called "Verstuurd".
 * @param quotaKiB most that the account may hold; without it there is no QUOTA
 * @param o.lmtp takes mail by LMTP for addresses with the account's localpart
 */
export async function startDovecot(
  quotaKiB?: number,
  o: { lmtp?: boolean } = {},
): Promise<Dovecot> {
  const dir = await Deno.makeTempDir({ prefix: "dovecot-" });
  await Deno.chmod(dir, 0o755);
  await Deno.mkdir(`${dir}/mail`);
  await giveToNobody(`${dir}/mail`);
  const [port, lmtp] = await freePorts(2);
  const [user, password, token] = ["ann", "ann-password", "a-token"];
  // What an OAuth2 provider answers when it is asked about a token.
  const provider = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (req) => {
    const good = req.headers.get("authorization") === `Bearer ${token}`;
    return Response.json(good ? { active: true, email: user, username: user } : { active: false }, {
      status: good ? 200 : 401,
    });
  });
  await Deno.writeTextFile(`${dir}/users`, `${user}:{PLAIN}${password}::::::\n`);
  await Deno.writeTextFile(
    `${dir}/oauth2.conf`,
    `introspection_mode = auth\nintrospection_url = http://127.0.0.1:${provider.addr.port}/\n` +
      "username_attribute = email\nactive_attribute = active\nactive_value = true\n",
  );
  const quota = quotaKiB === undefined ? "" : `
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:${dovecotQuotaRoot}
  quota_vsizes = yes
  quota_rule = *:storage=${quotaKiB}K
}
`;
  await Deno.writeTextFile(
    `${dir}/dovecot.conf`,
    `${quota}
base_dir = ${dir}/run
state_dir = ${dir}/run
log_path = ${dir}/dovecot.log
protocols = imap${o.lmtp ? " lmtp" : ""}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
mail_location = maildir:${dir}/mail/%n
mail_uid = ${nobody}
mail_gid = ${nobody}
first_valid_uid = 1
mail_fsync = never
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${dir}/oauth2.conf
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%n ${dir}/users
}
userdb {
  driver = static
  args = uid=${nobody} gid=${nobody} home=${dir}/mail/%n
}
namespace inbox {
  inbox = yes
  separator = .
  mailbox Verstuurd {
    auto = create
    special_use = \\Sent
  }
}
${o.lmtp ? lmtpService(lmtp) : ""}service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
  );
  // The server keeps what it is started with open: no pipes.
  const started = new Deno.Command("dovecot", {
    args: ["-c", `${dir}/dovecot.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  if (!(await started.output()).success) throw new Error("dovecot did not start");
  await answers("127.0.0.1", port);
  if (o.lmtp) await answers("127.0.0.1", lmtp);
  return {
    port,
    lmtp: o.lmtp ? lmtp : 0,
    maildir: `${dir}/mail/${user}`,
    user,
    password,
    token,
    async stop() {
      await run("doveadm", ["-c", `${dir}/dovecot.conf`, "stop"]).catch(() => {});
      await provider.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

const lmtpService = (port: number) =>
  `service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
}
protocol lmtp {
  postmaster_address = postmaster@old.example
}
`;

/** Dovecot's `sieve-test`: what another implementation does with a script and a message. */
import { join } from "node:path";
import { findProgram } from "../support/programs.ts";

/** Runs `sieve-test` as a user without rights, in a folder of its own. */
export class SieveTest {
  readonly #dir: string;
  #count = 0;

  constructor() {
    this.#dir = Deno.makeTempDirSync({ prefix: "mox-sieve-test-" });
    Deno.chmodSync(this.#dir, 0o777);
    Deno.writeTextFileSync(
      join(this.#dir, "dovecot.conf"),
      `mail_home=${this.#dir}/home
mail_location=maildir:${this.#dir}/home/Maildir
ssl=no
plugin {
  sieve = file:${this.#dir}/home/sieve
  sieve_max_actions = 0
  sieve_max_redirects = 100
  sieve_extensions = +editheader +foreverypart +mime +extracttext +spamtest +spamtestplus +virustest +vacation-seconds
}
`,
    );
    Deno.mkdirSync(join(this.#dir, "home"));
    Deno.chmodSync(join(this.#dir, "home"), 0o777);
  }

  /** What it prints: its actions; or the errors of the script. */
  run(script: string, message: string): { actions: string; errors: string } {
    const name = `s${this.#count++}`;
    const path = join(this.#dir, `${name}.sieve`);
    const mail = join(this.#dir, `${name}.eml`);
    Deno.writeTextFileSync(path, script);
    Deno.writeTextFileSync(mail, message.replace(/\r?\n/g, "\r\n"));
    const program = [findProgram("sieve-test")!, "-c", join(this.#dir, "dovecot.conf")];
    const args = [
      ...program,
      "-C",
      "-f",
      "joe@example.com",
      "-a",
      "me@example.com",
      "-r",
      "me@example.com",
      path,
      mail,
    ];
    // As root it wants a user to become.
    const drop = Deno.uid() === 0
      ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
      : [];
    const [command, ...rest] = [...drop, ...args];
    const r = new Deno.Command(command, {
      args: rest,
      env: { HOME: join(this.#dir, "home"), USER: "nobody", TZ: "UTC" },
      clearEnv: false,
      stdout: "piped",
      stderr: "piped",
    }).outputSync();
    const text = new TextDecoder();
    return { actions: text.decode(r.stdout), errors: text.decode(r.stderr) };
  }

  close(): void {
    Deno.removeSync(this.#dir, { recursive: true });
  }
}

/** The actions that it prints, in the words of `shortActions`. */
export function dovecotActions(printed: string): string[] {
  const actions: string[] = [];
  const lines = printed.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const details = () => {
      const d: string[] = [];
      while (lines[i + 1]?.startsWith("     ")) d.push(lines[++i].trim());
      return d;
    };
    let m: RegExpExecArray | null;
    if ((m = /^ \* store message in folder: (.*)$/.exec(line))) {
      const flags = details().find((d) => d.startsWith("+ add IMAP flags: "))?.slice(18);
      const suffix = flags ? ` [${flags}]` : "";
      actions.push(m[1] === "INBOX" ? `keep${suffix}` : `fileinto ${m[1]}${suffix}`);
    } else if ((m = /^ \* redirect message to: <(.*)>$/.exec(line))) {
      actions.push(`redirect ${m[1]}`);
    } else if (/^ \* discard/.test(line)) actions.push("discard");
    else if (/^ \* reject message/.test(line)) actions.push("reject");
    else if (/^ \* send vacation message/.test(line)) actions.push("vacation");
    else if ((m = /^ \* send notification with method '(.*)'/.exec(line))) actions.push("notify");
  }
  return actions;
}

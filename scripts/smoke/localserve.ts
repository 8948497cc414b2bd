/**
 * A session of localserve with a built program: has it make a folder, starts it, sends a mail in, reads it, sends one
 * out through the submission service, reads that, and stops the server.
 *
 * @module
 */
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { join } from "node:path";

const auth = { user: "mox@localhost", pass: "moxmoxmox" };
const tls = { rejectUnauthorized: false };

async function run(program: readonly string[], args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program[0], {
    args: [...program.slice(1), ...args],
    cwd,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${args.join(" ")}: ${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** Waits until the INBOX has so many messages; returns the subject of the last. */
async function lastSubject(port: number, count: number): Promise<string> {
  const client = new ImapFlow({
    host: "127.0.0.1",
    port,
    secure: true,
    auth,
    tls,
    logger: false,
  });
  client.on("error", () => {});
  await client.connect();
  try {
    const lock = await client.getMailboxLock("INBOX");
    try {
      const mailbox = client.mailbox;
      if (!mailbox) throw new Error("no mailbox is open");
      if (mailbox.exists < count) {
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error("the mail did not arrive")), 20_000);
          client.on("exists", (e: { count: number }) => {
            if (e.count < count) return;
            clearTimeout(timer);
            resolve();
          });
          client.idle().catch(reject);
        });
      }
      const message = await client.fetchOne("*", { envelope: true });
      return message ? message.envelope?.subject ?? "" : "";
    } finally {
      lock.release();
    }
  } finally {
    await client.logout();
  }
}

/**
 * Tries the program in a folder, which has to be empty.
 * @param program path of the executable, with arguments that stand before a subcommand.
 * @throws Error with what went wrong
 */
export async function smokeLocalserve(
  program: readonly string[],
  dir: string,
  offset: number,
): Promise<void> {
  const data = join(dir, "mail");
  const version = await run(program, ["version"], dir);
  if (!version.startsWith("mox ")) throw new Error(`version says ${version}`);
  await run(program, ["config", "describe-static"], dir);
  await run(program, ["localserve", "-initonly", "-dir", data, "-ports", String(offset)], dir);
  const server = new Deno.Command(program[0], {
    args: [...program.slice(1), "localserve", "-dir", data],
    cwd: dir,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  const ready = Promise.withResolvers<void>();
  const reading = [server.stdout, server.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("localserve is running")) ready.resolve();
    }
  });
  const ended = Promise.all(reading).then(() => {
    ready.reject(new Error(`the server ended: ${said}`));
  });
  try {
    await ready.promise;
    const incoming = nodemailer.createTransport({
      host: "127.0.0.1",
      port: 1025 + offset,
      tls,
    });
    await incoming.sendMail({
      from: "someone@example.org",
      to: "anybody@example.net",
      subject: "in",
      text: "from elsewhere",
    });
    const first = await lastSubject(1993 + offset, 1);
    if (first !== "in") throw new Error(`the mail that came in is called ${first}`);
    const outgoing = nodemailer.createTransport({
      host: "127.0.0.1",
      port: 1465 + offset,
      secure: true,
      auth,
      tls,
    });
    await outgoing.sendMail({
      from: auth.user,
      to: "someone@example.org",
      subject: "out",
      text: "to elsewhere",
    });
    const second = await lastSubject(1993 + offset, 2);
    if (second !== "out") throw new Error(`the mail that went out is called ${second}`);
    await run(program, ["stop", "-dir", data], dir);
  } catch (err) {
    server.kill();
    throw new Error(`${err instanceof Error ? err.message : String(err)}\n${said}`, { cause: err });
  } finally {
    await ended;
    const { code } = await server.status;
    if (code !== 0) console.error(`the server ended with ${code}: ${said}`);
  }
}

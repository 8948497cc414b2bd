/** `mox sendmail`. @module */
import { writeStderr } from "../platform/stdio.ts";
import { readStdinBytes } from "../platform/terminal.ts";
import { callControl } from "../serve/control/control.ts";
import { type Command, UsageError } from "./command.ts";
import { findDataDir } from "./datadir.ts";
import { readSubmitConfig, type SubmitConfig, submitConfigPath } from "./sendmail_config.ts";
import { submitElsewhere } from "./sendmail_submit.ts";

/** Largest accepted message in bytes. */
const maxMessage = 40 * 1024 * 1024;

interface Options {
  dir: string;
  from: string;
  fromHeader: boolean;
  ignoreDots: boolean;
  recipients: string[];
  /** File with a submission account; "" for the usual one. */
  submit: string;
}

/** The account to submit with, if there is one; not if a server is selected by its folder. */
async function submissionOf(options: Options): Promise<SubmitConfig | undefined> {
  if (options.dir !== "") return undefined;
  const path = options.submit === "" ? submitConfigPath : options.submit;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (err) {
    if (options.submit === "" && err instanceof Deno.errors.NotFound) return undefined;
    throw err;
  }
  return readSubmitConfig(path, text);
}

/** Parses the options that programs pass to sendmail; those without a meaning here are ignored silently. */
function parse(args: readonly string[]): Options {
  const o: Options = {
    dir: "",
    from: "",
    fromHeader: false,
    ignoreDots: false,
    recipients: [],
    submit: "",
  };
  for (let i = 0; i < args.length; i++) {
    const a = args[i];
    const value = () => {
      if (++i >= args.length) throw new UsageError(`flag ${a} needs a value`);
      return args[i];
    };
    if (a === "-dir") o.dir = value();
    else if (a === "-submit") o.submit = value();
    else if (a === "-f" || a === "-r") o.from = value();
    else if (/^-[fr]./.test(a)) o.from = a.slice(2);
    else if (a === "-t" || a === "-ti" || a === "-it") {
      o.fromHeader = true;
      o.ignoreDots ||= a.includes("i");
    } else if (a === "-i" || a === "-oi") o.ignoreDots = true;
    else if (/^-(o.|O|B|F|N|R|V|p|X)$/.test(a)) value();
    else if (a === "--") {
      o.recipients.push(...args.slice(i + 1));
      break;
    } else if (/^-(b[dpst]|q)/.test(a)) throw new UsageError(`flag ${a} is not supported`);
    else if (!a.startsWith("-")) o.recipients.push(a);
  }
  return o;
}

export const sendmail: Command = {
  name: "sendmail",
  usage: "sendmail [-dir folder | -submit file] [-f address] [-t] [-i] [recipient ...]",
  summary: "Queue a message from standard input, as /usr/sbin/sendmail does",
  help: `
Reads a message from standard input and hands it to the running server's queue. For programs that
expect /usr/sbin/sendmail; flags of it that have no meaning here are ignored. Where there is a file
/etc/moxsubmit.conf, the message is submitted with the account in it instead, to a server on any machine, by any
user who may read the file: "mox config describe-sendmail" prints what stands in it.

  -dir    folder of a localserve; default the server of mox.conf, or localserve's
  -submit file with a submission account, in place of /etc/moxsubmit.conf
  -f      sender's address; default the one in From
  -t      take recipients from To, Cc and Bcc too; Bcc is removed
  -i      a line with a dot alone does not end the message`,
  async run(args) {
    const o = parse(args);
    if (o.recipients.length === 0 && !o.fromHeader) {
      throw new UsageError("no recipients: name some, or use -t");
    }
    const bytes = await readStdinBytes(maxMessage);
    let message = "";
    for (let at = 0; at < bytes.length; at += 8192) {
      message += String.fromCharCode(...bytes.subarray(at, at + 8192));
    }
    if (!o.ignoreDots) {
      const end = /^\.\r?$/m.exec(message);
      if (end) message = message.slice(0, end.index);
    }
    const submission = await submissionOf(o);
    if (submission) return await submitElsewhere(submission, { ...o, message });
    const ids = await callControl(await findDataDir(o.dir), "sendmail", {
      from: o.from,
      recipients: o.recipients,
      fromHeader: o.fromHeader,
      message,
    });
    writeStderr(`queued as ${(ids as string[]).join(" ")}\n`);
  },
};

/** `mox sieve …`: trying scripts without a server. @module */
import { join } from "node:path";
import { isSafeName } from "../platform/paths.ts";
import { writeStdout } from "../platform/stdio.ts";
import { localZone, serverEnvironment } from "../delivery/sieve/context.ts";
import {
  actionText,
  compileSieve,
  executeSieve,
  problemText,
  scriptText,
  type SieveContext,
  SieveMail,
  type SieveScript,
  SieveSyntaxError,
} from "../sieve/mod.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { readMessage } from "./inputs.ts";

/** Compiles a file; prints errors and warnings. */
async function compileFile(path: string): Promise<SieveScript | undefined> {
  try {
    const script = compileSieve(scriptText(await Deno.readFile(path), path), { name: path });
    for (const w of script.warnings) writeStdout(`${problemText(w, path)} (warning)\n`);
    return script;
  } catch (err) {
    if (!(err instanceof SieveSyntaxError)) throw err;
    writeStdout(`${err.message}\n`);
    return undefined;
  }
}

const flagsOfRuns = { from: "", to: "", include: "", mailboxes: "", spam: "" };

async function contextOf(
  flags: Record<keyof typeof flagsOfRuns, string>,
  path: string | undefined,
): Promise<SieveContext> {
  const bytes = await readMessage(path);
  const message = new SieveMail({
    prefix: new Uint8Array(0),
    size: bytes.length,
    read: (from, to) => bytes.subarray(from, Math.max(from, to)),
  });
  const spam = flags.spam === "" ? undefined : Number(flags.spam);
  if (spam !== undefined && !(spam >= 0 && spam <= 1)) {
    throw new UsageError("-spam is a number from 0 to 1");
  }
  const names = ["INBOX", ...flags.mailboxes.split(",").filter((n) => n !== "")];
  const boxes = names.map((name) => ({ name, specialUses: [], id: "" }));
  const first = (field: string) =>
    /[^\s<>,;:"]+@[^\s<>,;:"]+/.exec(message.values(field)[0] ?? "")?.[0];
  return {
    message,
    envelope: {
      from: flags.from === "<>" ? "" : flags.from || first("return-path") || first("from") || "",
      to: flags.to || first("delivered-to") || first("to"),
    },
    mailboxes: {
      byName: (name) => boxes.find((b) => b.name.toLowerCase() === name.toLowerCase()),
      byId: () => undefined,
      bySpecialUse: () => undefined,
      annotation: () => undefined,
    },
    now: Date.now(),
    zone: localZone,
    environment: (name) => serverEnvironment("localhost", name),
    inList: () => undefined,
    include(name) {
      if (flags.include === "" || !isSafeName(name)) return undefined;
      try {
        return compileSieve(Deno.readTextFileSync(join(flags.include, `${name}.sieve`)), { name });
      } catch (err) {
        if (err instanceof SieveSyntaxError) return [...err.problems];
        if (err instanceof Deno.errors.NotFound) return undefined;
        throw err;
      }
    },
    seen: () => false,
    spamScore: spam,
    virus: undefined,
    isOwnAddress: () => false,
    separators: ["+"],
  };
}

const runHelp = `
  -from        sender of the envelope, <> for none; else taken from Return-Path or From
  -to          recipient of the envelope; else taken from Delivered-To or To
  -include     folder with scripts that can be included, NAME.sieve
  -mailboxes   names of mailboxes that exist, with commas between; INBOX always does
  -spam        probability of being junk, from 0 to 1, for spamtest`;

async function runFile(args: string[], trace: boolean): Promise<number> {
  const { flags, args: [file, message] } = parseFlags(args, flagsOfRuns, { min: 1, max: 2 });
  const script = await compileFile(file);
  if (!script) return 1;
  const context = await contextOf(flags, message);
  const result = executeSieve([script], {
    ...context,
    trace: trace ? (line, text) => writeStdout(`${file}:${line}: ${text}\n`) : undefined,
  });
  for (const w of result.warnings) writeStdout(`${problemText(w, file)} (warning)\n`);
  if (result.error) writeStdout(`${problemText(result.error, file)}\n`);
  for (const a of result.actions) {
    writeStdout(`${actionText(a)}${a.line > 0 ? `, by line ${a.line}` : ""}\n`);
  }
  return result.error ? 1 : 0;
}

export const sieveCommands: readonly Command[] = [
  {
    name: "sieve check",
    usage: "sieve check file...",
    summary: "Check Sieve scripts",
    help: `
Reads Sieve scripts, and prints all that is wrong with them, each with its file, line and column. The status is 1 if
a script has an error.`,
    async run(args) {
      const { args: files } = parseFlags(args, {}, { min: 1, max: 1000 });
      let wrong = 0;
      for (const f of files) if (!await compileFile(f)) wrong++;
      return wrong > 0 ? 1 : 0;
    },
  },
  {
    name: "sieve run",
    usage: "sieve run [flags] file [message]",
    summary: "Tell what a Sieve script would do with a message",
    help: `
Runs a Sieve script on a message (standard input if none is named), and prints the actions that it asks for. Nothing
is done.
${runHelp}`,
    run: (args) => runFile(args, false),
  },
  {
    name: "sieve trace",
    usage: "sieve trace [flags] file [message]",
    summary: "Tell step by step what a Sieve script does with a message",
    help: `
As "sieve run", and prints each step of the script with its line before.
${runHelp}`,
    run: (args) => runFile(args, true),
  },
];

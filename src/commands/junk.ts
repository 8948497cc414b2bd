/** `mox junk train`, `check` and `play`: trying junk filters on folders of messages. @module */
import {
  checkMessages,
  chronologicalSplit,
  defaultJunkParams,
  defaultThreshold,
  JunkFilter,
  type JunkParams,
  junkParams,
  JunkParamsError,
  type JunkReport,
  playMessages,
  trainMessages,
} from "../junk/mod.ts";
import { ensureDir } from "../platform/files.ts";
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { readMessage } from "./inputs.ts";
import { labelledMessages, wordsOf } from "./junk_messages.ts";

const paramFlags = {
  onegrams: defaultJunkParams.Onegrams,
  twograms: defaultJunkParams.Twograms,
  threegrams: defaultJunkParams.Threegrams,
  maxpower: String(defaultJunkParams.MaxPower),
  topwords: String(defaultJunkParams.TopWords),
  ignorewords: String(defaultJunkParams.IgnoreWords),
  rarewords: String(defaultJunkParams.RareWords),
};

const paramHelp = `
  -onegrams, -twograms, -threegrams, -maxpower, -topwords, -ignorewords, -rarewords
                as in JunkFilter of an account, see "mox config describe-domains"`;

const folderHelp = `
Messages are taken from a folder of files, a Maildir, or an mbox file.`;

function paramsOf(
  flags: {
    [K in keyof typeof paramFlags]: typeof paramFlags[K] extends boolean ? boolean : string;
  },
): JunkParams {
  try {
    return junkParams({
      Onegrams: flags.onegrams,
      Twograms: flags.twograms,
      Threegrams: flags.threegrams,
      MaxPower: Number(flags.maxpower),
      TopWords: Number(flags.topwords),
      IgnoreWords: Number(flags.ignorewords),
      RareWords: Number(flags.rarewords),
    });
  } catch (err) {
    if (err instanceof JunkParamsError) throw new UsageError(err.message);
    throw err;
  }
}

function threshold(text: string): number {
  const t = Number(text);
  if (!(t >= 0 && t <= 1)) throw new UsageError(`a threshold is from 0 to 1, not ${text}`);
  return t;
}

/** Opens a filter in a folder, or in one that is removed afterwards. */
async function withFilter<T>(
  folder: string,
  params: JunkParams,
  fn: (filter: JunkFilter) => Promise<T>,
): Promise<T> {
  const dir = folder === "" ? await Deno.makeTempDir({ prefix: "mox-junk-" }) : folder;
  try {
    await ensureDir(dir);
    const filter = await JunkFilter.open(dir, params);
    try {
      return await fn(filter);
    } finally {
      await filter.close();
    }
  } finally {
    if (folder === "") await Deno.remove(dir, { recursive: true });
  }
}

function printReport(report: JunkReport, verbose: boolean): void {
  const percent = (n: number) => Number.isNaN(n) ? "-" : `${(100 * n).toFixed(2)}%`;
  if (verbose) {
    for (const f of report.falsePositives) {
      writeStdout(`ham taken for spam: ${f.name}: ${f.probability.toFixed(3)}\n`);
    }
    for (const f of report.falseNegatives) {
      writeStdout(`spam let through: ${f.name}: ${f.probability.toFixed(3)}\n`);
    }
  }
  writeStdout(
    `ham: ${report.hams}, taken for spam: ${report.falsePositives.length} (${
      percent(report.falsePositiveRate)
    })\n` +
      `spam: ${report.spams}, caught: ${report.spams - report.falseNegatives.length} (${
        percent(report.caughtRate)
      })\n` +
      `time for a message: ${report.meanMs.toFixed(2)} ms, at most ${
        report.worstMs.toFixed(2)
      } ms\n`,
  );
}

export const junkTrain: Command = {
  name: "junk train",
  usage: "junk train [flags] folder ham spam",
  summary: "Train a junk filter with messages that are known",
  help: `
Trains the junk filter in a folder, which is made if it is not there, with known ham and spam. It can
be tried with "mox junk check". Accounts' filters learn by themselves, and with "mox retrain".
${folderHelp}
${paramHelp}`,
  async run(args) {
    const { flags, args: [folder, ham, spam] } = parseFlags(args, paramFlags, { min: 3 });
    const params = paramsOf(flags);
    const messages = [
      ...await labelledMessages(ham, true, params),
      ...await labelledMessages(spam, false, params),
    ];
    await withFilter(folder, params, async (filter) => {
      await trainMessages(filter, messages);
      writeStdout(`trained: ${filter.hams} ham, ${filter.spams} spam\n`);
    });
  },
};

export const junkCheck: Command = {
  name: "junk check",
  usage: "junk check [flags] folder message | junk check [flags] -ham ham -spam spam [folder]",
  summary: "Check messages with a junk filter",
  help: `
With a message ("-" for standard input), prints how probably it is spam by the filter in the folder,
and the words that decided; the exit status is 0 for ham and 1 for spam. An account's filter is in
accounts/<name> of the data folder.

With -ham and -spam, prints how many known messages the filter judges rightly. Without a folder the
older part of both is trained first, and the newer part checked.
${folderHelp}

  -ham, -spam   known messages
  -fraction     the older part, default 0.75
  -threshold    probability above which a message is spam, default ${defaultThreshold}
  -v            name the messages judged wrongly
${paramHelp.slice(1)}`,
  async run(args) {
    const { flags, args: [folder, file] } = parseFlags(args, {
      ...paramFlags,
      ham: "",
      spam: "",
      fraction: "0.75",
      threshold: String(defaultThreshold),
      v: false,
    }, { max: 2 });
    const params = paramsOf(flags);
    const limit = threshold(flags.threshold);
    if (flags.ham === "" || flags.spam === "") {
      if (file === undefined) throw new UsageError("a message, or -ham and -spam, are needed");
      return await checkOne(folder, params, await readMessage(file), limit);
    }
    const all = [
      ...await labelledMessages(flags.ham, true, params),
      ...await labelledMessages(flags.spam, false, params),
    ];
    await withFilter(folder ?? "", params, async (filter) => {
      const split = chronologicalSplit(all, folder === undefined ? threshold(flags.fraction) : 0);
      await trainMessages(filter, split.train);
      writeStdout(`trained: ${filter.hams} ham, ${filter.spams} spam\n`);
      printReport(checkMessages(filter, split.check, limit), flags.v);
    });
  },
};

async function checkOne(
  folder: string,
  params: JunkParams,
  bytes: Uint8Array,
  limit: number,
): Promise<number> {
  await Deno.stat(folder);
  return await withFilter(folder, params, (filter) => {
    const c = filter.classify(wordsOf(bytes, params));
    const listed = (words: typeof c.hams) =>
      words.map((w) => `  ${w.score.toFixed(3)} ${w.word} (ham ${w.ham}, spam ${w.spam})\n`).join(
        "",
      );
    const spam = c.probability > limit;
    writeStdout(
      `${spam ? "spam" : "ham"}: probability ${c.probability.toFixed(4)}, threshold ${limit}` +
        `${c.significant ? "" : ", by too few trained messages to refuse any"}\n` +
        `words of ham:\n${listed(c.hams)}words of spam:\n${listed(c.spams)}`,
    );
    return Promise.resolve(spam ? 1 : 0);
  });
}

export const junkPlay: Command = {
  name: "junk play",
  usage: "junk play [flags] ham spam",
  summary: "Play a history of ham and spam through a junk filter",
  help: `
Goes through known messages in the order in which they were received: each is judged, then trained, as
if its user had marked it at once. Prints the rates of what came after the warm-up.
${folderHelp}

  -warmup       messages that only train, default 200
  -threshold    probability above which a message is spam, default ${defaultThreshold}
  -v            name the messages judged wrongly
${paramHelp.slice(1)}`,
  async run(args) {
    const { flags, args: [ham, spam] } = parseFlags(args, {
      ...paramFlags,
      warmup: "200",
      threshold: String(defaultThreshold),
      v: false,
    }, { min: 2 });
    const params = paramsOf(flags);
    const warmUp = Number(flags.warmup);
    if (!(warmUp >= 0)) throw new UsageError(`not a number: ${flags.warmup}`);
    const all = [
      ...await labelledMessages(ham, true, params),
      ...await labelledMessages(spam, false, params),
    ];
    await withFilter("", params, async (filter) => {
      printReport(await playMessages(filter, all, threshold(flags.threshold), warmUp), flags.v);
    });
  },
};

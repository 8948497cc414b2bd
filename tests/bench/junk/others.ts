/** Other filters that learn, as Debian has them, for comparison. Missing ones are left out. */
import { fromFileUrl } from "../../../src/platform/paths.ts";
import { startRspamd } from "../../scanning/programs.ts";
import type { Labelled, Split } from "./corpus.ts";

/** Scores of messages that were judged: higher is more like spam. */
export interface Scores {
  ham: number[];
  spam: number[];
}

/** A filter that is trained and asked. */
export interface Filter {
  name: string;
  /** Draws of a split that it is measured with; all if not given. */
  draws?: number;
  run(split: Split): Promise<Scores>;
}

/** Scores that came in the order of the messages. */
function inOrder(judge: readonly Labelled[], scores: readonly number[], name: string): Scores {
  if (scores.length !== judge.length || scores.some(Number.isNaN)) {
    throw new Error(`${name} judged ${scores.length} messages of ${judge.length}`);
  }
  const r: Scores = { ham: [], spam: [] };
  judge.forEach((m, i) => (m.ham ? r.ham : r.spam).push(scores[i]));
  return r;
}

async function inFolder<T>(fn: (dir: string) => Promise<T>): Promise<T> {
  const dir = await Deno.makeTempDir();
  try {
    return await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Runs bogofilter with a message, or several as an mbox. */
async function bogofilter(dir: string, args: string[], input: Uint8Array): Promise<string> {
  const child = new Deno.Command("bogofilter", {
    args: ["-d", dir, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(input);
  await writer.close();
  const { stdout } = await child.output();
  return new TextDecoder().decode(stdout);
}

function mbox(list: readonly Labelled[]): Uint8Array {
  const text = list.map((m) =>
    `From x@example.org Mon Jan  1 00:00:00 2024\n${
      new TextDecoder().decode(m.bytes).replaceAll("\r\n", "\n").replaceAll(/^From /gm, ">From ")
    }\n`
  );
  return new TextEncoder().encode(text.join("\n"));
}

function withBogofilter({ train, judge }: Split): Promise<Scores> {
  return inFolder(async (dir) => {
    await bogofilter(dir, ["-n", "-M"], mbox(train.filter((m) => m.ham)));
    await bogofilter(dir, ["-s", "-M"], mbox(train.filter((m) => !m.ham)));
    const judged = await bogofilter(dir, ["-M", "-t", "-T"], mbox(judge));
    const lines = judged.trim().split("\n").map((l) => Number(l.split(" ")[1]));
    return inOrder(judge, lines, "bogofilter");
  });
}

const script = fromFileUrl(new URL("spamassassin.pl", import.meta.url));

/** Its Bayes alone, without rules: what it learns. */
function withSpamAssassin({ train, judge }: Split): Promise<Scores> {
  return inFolder(async (dir) => {
    await Deno.mkdir(`${dir}/mail`);
    const list = async (name: string, messages: readonly Labelled[]) => {
      let text = "";
      for (const [i, m] of messages.entries()) {
        const path = `${dir}/mail/${name}-${i}`;
        await Deno.writeTextFile(path, new TextDecoder().decode(m.bytes).replaceAll("\r\n", "\n"));
        text += `${m.ham ? "ham" : "spam"} ${path}\n`;
      }
      await Deno.writeTextFile(`${dir}/${name}`, text);
      return `${dir}/${name}`;
    };
    const args = [script, dir, await list("train", train), await list("judge", judge)];
    const { stdout } = await new Deno.Command("perl", { args, stderr: "null" }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    return inOrder(judge, lines.map((l) => Number(l.split(" ")[1])), "SpamAssassin");
  });
}

/** Its Bayes alone as well: the score of its two symbols, whose sign and size tell how sure it is. */
async function withRspamd({ train, judge }: Split): Promise<Scores> {
  await using rspamd = await startRspamd(
    'group "statistics" { symbols = { "BAYES_HAM" { weight = -1; } "BAYES_SPAM" { weight = 1; } } }',
  );
  const post = async (port: number, path: string, m: Labelled) => {
    const body = m.bytes.slice();
    const response = await fetch(`http://127.0.0.1:${port}/${path}`, { method: "POST", body });
    return { status: response.status, text: await response.text() };
  };
  let refused = 0;
  for (const m of train) {
    const { status, text } = await post(rspamd.controller, m.ham ? "learnham" : "learnspam", m);
    // It does not learn from messages with hardly any words, or that it knows already.
    if (status !== 200) refused++;
    if (status !== 200 && refused > train.length / 10) throw new Error(`rspamd: ${text}`);
  }
  const scores: number[] = [];
  for (const m of judge) {
    const { text } = await post(rspamd.port, "checkv2", m);
    const symbols: Record<string, { score: number } | undefined> = JSON.parse(text).symbols;
    const sure = (symbols.BAYES_SPAM?.score ?? 0) - Math.abs(symbols.BAYES_HAM?.score ?? 0);
    scores.push((1 + sure) / 2);
  }
  return inOrder(judge, scores, "rspamd");
}

async function runs(program: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args, stdout: "null", stderr: "null" })
      .output();
    return success;
  } catch {
    return false;
  }
}

/** Those that are installed. */
export async function otherFilters(): Promise<Filter[]> {
  const found: Filter[] = [];
  if (await runs("bogofilter", "-V")) found.push({ name: "bogofilter", run: withBogofilter });
  if (await runs("perl", "-MMail::SpamAssassin", "-e", "1")) {
    // Minutes for each draw.
    found.push({ name: "SpamAssassin", draws: 1, run: withSpamAssassin });
  }
  if (await runs("rspamd", "--version")) found.push({ name: "rspamd", draws: 1, run: withRspamd });
  return found;
}

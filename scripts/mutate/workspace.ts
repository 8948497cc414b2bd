/**
 * A copy of the project in which bugs are planted and tests are run.
 *
 * @module
 */
import { dirname, join } from "node:path";

/** Paths of a project's files, those included that aren't committed. */
async function projectFiles(root: string): Promise<string[]> {
  const { stdout, success } = await new Deno.Command("git", {
    args: ["ls-files", "-co", "--exclude-standard", "-z"],
    cwd: root,
  }).output();
  if (!success) throw new Error(`${root} is no checkout of git`);
  return new TextDecoder().decode(stdout).split("\0").filter((p) => p !== "");
}

/** How a run of tests ended. */
export interface TestRun {
  passed: boolean;
  /** The first test that failed; "" if none did, or none ended. */
  failed: string;
  timedOut: boolean;
  ms: number;
}

export class Workspace {
  readonly dir: string;
  readonly #temp: string;

  private constructor(dir: string) {
    this.dir = join(dir, "project");
    this.#temp = join(dir, "temp");
  }

  static async make(root: string): Promise<Workspace> {
    const dir = await Deno.makeTempDir({ prefix: "mutate-" });
    // Servers that tests start run as other users.
    await Deno.chmod(dir, 0o755);
    const w = new Workspace(dir);
    for (const path of await projectFiles(root)) {
      const to = join(w.dir, path);
      await Deno.mkdir(dirname(to), { recursive: true });
      await Deno.copyFile(join(root, path), to).catch((err) => {
        // Removed, and not yet committed.
        if (!(err instanceof Deno.errors.NotFound)) throw err;
      });
    }
    return w;
  }

  write(path: string, text: string): void {
    Deno.writeTextFileSync(join(this.dir, path), text);
  }

  /** Runs tests up to the first that fails, for so many milliseconds at most. */
  async test(files: readonly string[], timeout: number, args: string[] = []): Promise<TestRun> {
    Deno.mkdirSync(this.#temp, { recursive: true });
    const begin = performance.now();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--lock=deno.lock",
        "--frozen",
        "--allow-all",
        "--no-check",
        "--fail-fast",
        "--quiet",
        ...args,
        ...files,
      ],
      cwd: this.dir,
      env: { NO_COLOR: "1", TMPDIR: this.#temp },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      detached: true,
    }).spawn();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, timeout);
    const { code, stdout } = await child.output();
    clearTimeout(timer);
    // Servers that a test started and could not end.
    killGroup(child.pid);
    Deno.removeSync(this.#temp, { recursive: true });
    const text = new TextDecoder().decode(stdout);
    const failed = /^(.*?) \.\.\. FAILED/m.exec(text)?.[1] ?? /^error: .*/m.exec(text)?.[0] ?? "";
    return { passed: code === 0, failed, timedOut, ms: performance.now() - begin };
  }

  /** Lines that a test file reaches, by path, of files below a folder. */
  async coverage(
    file: string,
    folder: string,
  ): Promise<{ run: TestRun; lines: Map<string, Set<number>> }> {
    const dir = join(this.dir, ".cache", "coverage");
    const run = await this.test([file], 120_000, [`--coverage=${dir}`, "--coverage-raw-data-only"]);
    const lines = new Map<string, Set<number>>();
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["coverage", "--lcov", `--include=/src/${folder}/`, dir],
      cwd: this.dir,
      stderr: "null",
    }).output();
    await Deno.remove(dir, { recursive: true }).catch(() => {});
    let path = "";
    for (const line of new TextDecoder().decode(stdout).split("\n")) {
      if (line.startsWith("SF:")) {
        path = line.slice(line.indexOf("/src/") + 1);
        lines.set(path, new Set());
      } else if (line.startsWith("DA:")) {
        const [number, count] = line.slice(3).split(",").map(Number);
        if (count > 0) lines.get(path)!.add(number);
      }
    }
    return { run, lines };
  }

  async remove(): Promise<void> {
    await Deno.remove(dirname(this.dir), { recursive: true });
  }
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // All have ended.
  }
}

/** Firefox over WebDriver BiDi: as much as a day's work in the webmail needs. */
import { findProgram } from "../../support/programs.ts";

/** Milliseconds for anything that is waited for. */
const patience = 60_000;

interface Answer {
  id?: number;
  type: string;
  result?: Record<string, unknown>;
  error?: string;
  message?: string;
}

/** A page of a running Firefox. */
export class Firefox implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #id = 0;
  #context = "";

  private constructor(child: Deno.ChildProcess, socket: WebSocket, profile: string) {
    this.#child = child;
    this.#socket = socket;
    this.#profile = profile;
    socket.onmessage = (e) => {
      const a: Answer = JSON.parse(e.data);
      const w = a.id === undefined ? undefined : this.#waiting.get(a.id);
      if (!w) return;
      this.#waiting.delete(a.id!);
      if (a.type === "success") w.resolve(a.result!);
      else w.reject(new Error(`${a.error}: ${a.message}`));
    };
  }

  /** Starts one with an empty profile. */
  static async start(): Promise<Firefox> {
    const profile = await Deno.makeTempDir({ prefix: "mox-firefox-" });
    const child = new Deno.Command(findProgram("firefox-esr") ?? "firefox", {
      args: ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
      env: { HOME: profile, MOZ_DISABLE_AUTO_SAFE_MODE: "1" },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const url = Promise.withResolvers<string>();
    (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        const m = /WebDriver BiDi listening on (ws:\S+)/.exec(text);
        if (m) url.resolve(m[1]);
      }
      url.reject(new Error("Firefox ended"));
    })().catch(url.reject);
    url.promise.catch(() => {});
    const socket = new WebSocket(`${await url.promise}/session`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("no WebDriver BiDi"));
    });
    const f = new Firefox(child, socket, profile);
    await f.#send("session.new", { capabilities: {} });
    const tree = await f.#send("browsingContext.getTree", {});
    f.#context = (tree.contexts as { context: string }[])[0].context;
    await f.#send("browsingContext.setViewport", {
      context: f.#context,
      viewport: { width: 1360, height: 820 },
    });
    return f;
  }

  #send(method: string, params: unknown): Promise<Record<string, unknown>> {
    const id = ++this.#id;
    const w = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, w);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return w.promise;
  }

  async open(url: string): Promise<void> {
    await this.#send("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  async reload(): Promise<void> {
    await this.#send("browsingContext.reload", { context: this.#context, wait: "complete" });
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const r = await this.#send("script.evaluate", {
      expression: `JSON.stringify(${expression} ?? null)`,
      target: { context: this.#context },
      awaitPromise: true,
      userActivation: true,
    });
    if (r.type === "exception") throw new Error(JSON.stringify(r.exceptionDetails));
    return JSON.parse((r.result as { value: string }).value);
  }

  /** Waits until an expression is true. @returns false if it isn't after so many milliseconds */
  async soon(expression: string, ms: number): Promise<boolean> {
    const end = Date.now() + ms;
    while (!await this.value<boolean>(`Boolean(${expression})`)) {
      if (Date.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return true;
  }

  /** Waits until an expression is true. @throws Error if it never comes to be */
  async until(expression: string): Promise<void> {
    if (!await this.soon(expression, patience)) {
      throw new Error(`it never came to be: ${expression}`);
    }
  }

  /** Clicks in the middle of the element that an expression gives, when it is there. */
  async click(element: string): Promise<void> {
    await this.until(`(${element})?.getBoundingClientRect().width`);
    const { x, y } = await this.value<{ x: number; y: number }>(
      `(() => { const e = ${element}; e.scrollIntoView({ block: "nearest" }); ` +
        `const r = e.getBoundingClientRect(); return { x: Math.round(r.x + r.width / 2), y: Math.round(r.y + r.height / 2) }; })()`,
    );
    const actions = [
      { type: "pointerMove", x, y },
      { type: "pointerDown", button: 0 },
      { type: "pointerUp", button: 0 },
    ];
    await this.#send("input.performActions", {
      context: this.#context,
      actions: [{ type: "pointer", id: "mouse", actions }],
    });
  }

  /** Types text; "\uE007" is Enter, "\uE009" holds Control until the end. */
  async type(text: string): Promise<void> {
    const held = text.startsWith("\uE009") ? ["\uE009"] : [];
    const keys = [...text.slice(held.length)];
    await this.#send("input.performActions", {
      context: this.#context,
      actions: [{
        type: "key",
        id: "keys",
        actions: [
          ...held.map((value) => ({ type: "keyDown", value })),
          ...keys.flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]),
          ...held.map((value) => ({ type: "keyUp", value })),
        ],
      }],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([
      this.#send("browser.close", {}).catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 5_000)),
    ]);
    this.#socket.close();
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }
}

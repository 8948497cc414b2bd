/**
 * Work that would hold up the event loop, done by a Worker: started at the first request, ended when idle for a
 * while.
 *
 * @module
 */

interface Asked<Request> {
  id: number;
  request: Request;
}
interface Answered<Answer> {
  id: number;
  answer?: Answer;
  error?: string;
}
interface Waiting<Answer> {
  resolve: (answer: Answer) => void;
  reject: (err: Error) => void;
}

export interface WorkerOptions {
  /** For error messages. */
  name: string;
  /** Creates the Worker, whose module calls {@link answerRequests}. */
  start: () => Worker;
  /** Milliseconds without work after which the Worker is ended and its memory freed. */
  idleTimeout: number;
  /**
   * Most milliseconds from one answer to the next; after that all waiting requests fail. No limit if not given.
   */
  answerTimeout?: number;
}

/** The requesting side. */
export interface WorkerClient<Request, Answer> {
  /**
   * Sends a request; values in `transfer` aren't copied, and are gone here.
   * @throws Error with the Worker's message, or if it fails or is ended
   */
  ask(request: Request, transfer?: Transferable[]): Promise<Answer>;
  /** Number of requests without an answer. */
  waiting(): number;
  /** From now on the Worker isn't ended when idle. */
  keep(): void;
  /** Ends the Worker, after the last answer if requests are waiting. The next request starts a new one. */
  stop(): void;
  /** Ends the Worker immediately; waiting requests fail with the message. */
  fail(message: string): void;
}

/** Creates a Worker for requests; nothing is started yet. */
export function workerClient<Request, Answer>(
  options: WorkerOptions,
): WorkerClient<Request, Answer> {
  let worker: Worker | undefined;
  let sequence = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let kept = false;
  let stopping = false;
  const waiting = new Map<number, Waiting<Answer>>();

  function start(): Worker {
    const w = options.start();
    w.onmessage = (event: MessageEvent<Answered<Answer>>) => {
      const { id, answer, error } = event.data;
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asked?.resolve(answer as Answer);
      else asked?.reject(new Error(error));
      if (stopping && waiting.size === 0) end();
      else watch();
    };
    w.onerror = (e) => {
      e.preventDefault();
      fail(`${options.name} worker: ${e.message}`);
    };
    return w;
  }

  /** Restarts the timer for the next answer, or for idleness. */
  function watch(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) {
      if (!kept) timer = setTimeout(end, options.idleTimeout);
    } else if (options.answerTimeout !== undefined) {
      timer = setTimeout(
        () => fail(`${options.name} worker: it takes too long`),
        options.answerTimeout,
      );
    }
    if (timer !== undefined) Deno.unrefTimer(timer as unknown as number);
  }

  function end(): void {
    clearTimeout(timer);
    worker?.terminate();
    worker = undefined;
    stopping = false;
  }

  function fail(message: string): void {
    end();
    for (const w of waiting.values()) w.reject(new Error(message));
    waiting.clear();
  }

  return {
    ask(request, transfer = []) {
      worker ??= start();
      stopping = false;
      const id = ++sequence;
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      waiting.set(id, { resolve, reject });
      if (waiting.size === 1) watch();
      worker.postMessage({ id, request } satisfies Asked<Request>, transfer);
      return promise;
    },
    waiting: () => waiting.size,
    keep() {
      kept = true;
      watch();
    },
    stop() {
      if (waiting.size === 0) end();
      else stopping = true;
    },
    fail,
  };
}

/** The Worker's side: answers each request with the function's result, or with its error. */
export function answerRequests<Request, Answer>(
  answer: (request: Request) => Answer | Promise<Answer>,
): void {
  const scope = self as unknown as {
    onmessage: (event: MessageEvent<Asked<Request>>) => void;
    postMessage(answered: Answered<Answer>): void;
  };
  scope.onmessage = async (e) => {
    const { id, request } = e.data;
    try {
      scope.postMessage({ id, answer: await answer(request) });
    } catch (err) {
      scope.postMessage({ id, error: err instanceof Error ? err.message : String(err) });
    }
  };
}

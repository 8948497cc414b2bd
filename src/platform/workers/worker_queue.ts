/**
 * Workers that several accounts share without hindering each other: each account has its own queue, they take
 * turns, no account has more than one running request, and a request that takes too long ends only its own
 * Worker.
 *
 * @module
 */
import { workerClient, type WorkerOptions } from "./worker.ts";

export interface WorkerQueueOptions extends Omit<WorkerOptions, "answerTimeout"> {
  /** Most Workers; the second is started when the first has work. */
  workers: number;
  /** Milliseconds for one request, after which its Worker is ended. */
  timeLimit: number;
  /** Most waiting requests of one account, and in total; more are refused immediately. */
  maxWaitingOfOne: number;
  maxWaiting: number;
}

/** The requesting side. */
export interface WorkerQueue<Request, Answer> {
  /** @throws Error with the Worker's message, if it takes too long, or if too many wait */
  ask(account: string, request: Request): Promise<Answer>;
  /** Ends all Workers; waiting and running requests fail with the message. */
  stop(message: string): void;
}

interface Waiting<Request, Answer> {
  request: Request;
  resolve: (answer: Answer) => void;
  reject: (err: Error) => void;
}

export function workerQueue<Request, Answer>(
  options: WorkerQueueOptions,
): WorkerQueue<Request, Answer> {
  const free = Array.from(
    { length: options.workers },
    () => workerClient<Request, Answer>({ ...options, answerTimeout: options.timeLimit }),
  );
  const all = [...free];
  /** By account, in order of their turns. */
  const queues = new Map<string, Waiting<Request, Answer>[]>();
  const busy = new Set<string>();
  let count = 0;

  function next(): void {
    for (const [account, queue] of queues) {
      if (free.length === 0) return;
      if (busy.has(account)) continue;
      const client = free.pop()!;
      const w = queue.shift()!;
      count--;
      // Moves it to the end of the line.
      queues.delete(account);
      if (queue.length > 0) queues.set(account, queue);
      busy.add(account);
      client.ask(w.request).then(w.resolve, w.reject).finally(() => {
        busy.delete(account);
        free.push(client);
        next();
      });
    }
  }

  return {
    ask(account, request) {
      const own = queues.get(account);
      if (count >= options.maxWaiting || (own?.length ?? 0) >= options.maxWaitingOfOne) {
        return Promise.reject(new Error(`${options.name} worker: too many requests wait`));
      }
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const waiting = { request, resolve, reject };
      if (own) own.push(waiting);
      else queues.set(account, [waiting]);
      count++;
      next();
      return promise;
    },
    stop(message) {
      const waiting = [...queues.values()].flat();
      queues.clear();
      count = 0;
      for (const w of waiting) w.reject(new Error(message));
      for (const client of all) client.fail(message);
    },
  };
}

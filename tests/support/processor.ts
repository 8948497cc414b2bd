/** Time of the processor, for bounds on work: it is the same however many programs the machine runs. */
import process from "node:process";

/** Milliseconds that this thread works in a function; what other threads and programs do meanwhile doesn't count. */
export function processorMs(fn: () => void): number {
  const before = process.threadCpuUsage();
  fn();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

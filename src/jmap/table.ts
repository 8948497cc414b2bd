/** All methods of JMAP that there are. @module */
import type { Method } from "./core/method.ts";
import { coreEcho } from "./methods/core/echo.ts";

export const methods: readonly Method[] = [
  coreEcho,
];

/** By name. */
export const methodTable: ReadonlyMap<string, Method> = new Map(methods.map((m) => [m.name, m]));

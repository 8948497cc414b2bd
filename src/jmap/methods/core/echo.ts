/** Core/echo (RFC 8620 §4). @module */
import { Capability } from "../../core/capabilities.ts";
import { defineMethod } from "../../core/method.ts";
import { anyObject } from "../../core/types.ts";

export const coreEcho = defineMethod({
  name: "Core/echo",
  capability: Capability.Core,
  args: anyObject,
  run: (_ctx, args) => args,
});

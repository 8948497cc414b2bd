/** All commands and tests, by name. @module */
import type { Tables } from "../check/checker.ts";
import { ihaveMayEnable } from "../check/extensions.ts";
import type { CommandDefinition, TestDefinition } from "../check/definition.ts";
import { actionCommands } from "./actions.ts";
import { bodyTests } from "./body.ts";
import { dateTests } from "./date.ts";
import { duplicateTests } from "./duplicate.ts";
import { editCommands } from "./editheader.ts";
import { notifyCommands, notifyTests } from "./enotify.ts";
import { envelopeTests } from "./envelope.ts";
import { environmentCommands, environmentTests, ihaveTest } from "./environment.ts";
import { flagCommands, flagTests } from "./flags.ts";
import { headerTests } from "./headers.ts";
import { includeCommands } from "./include.ts";
import { logicTests } from "./logic.ts";
import { mailboxTests } from "./mailboxes.ts";
import { partCommands } from "./parts.ts";
import { resultTests } from "./spamtest.ts";
import { vacationCommands } from "./vacation.ts";
import { variableCommands, variableTests } from "./variables.ts";

const commands: readonly CommandDefinition[] = [
  ...actionCommands,
  ...editCommands,
  ...environmentCommands,
  ...flagCommands,
  ...includeCommands,
  ...notifyCommands,
  ...partCommands,
  ...vacationCommands,
  ...variableCommands,
];

const tests: readonly TestDefinition[] = [
  ...bodyTests,
  ...dateTests,
  ...duplicateTests,
  ...envelopeTests,
  ...environmentTests,
  ...flagTests,
  ...headerTests,
  ...logicTests,
  ...mailboxTests,
  ...notifyTests,
  ...resultTests,
  ...variableTests,
];

/** @param available extensions that scripts may require */
export function tablesFor(available: ReadonlySet<string>): Tables {
  return {
    commands: new Map(commands.map((d) => [d.name, d])),
    tests: new Map(
      [...tests, ihaveTest((n) => ihaveMayEnable(n, available))].map((d) => [d.name, d]),
    ),
  };
}

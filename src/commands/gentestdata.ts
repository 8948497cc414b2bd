/** `mox gentestdata`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags } from "./command.ts";
import { makeTestData, testPassword } from "./test_data.ts";

export const gentestdata: Command = {
  name: "gentestdata",
  usage: "gentestdata folder",
  summary: "Make a folder with configuration and data to test with",
  help: `
Makes a new folder with a small configuration and a data folder that has something of everything: accounts
test0 (empty), test1 and test2 with messages of many shapes, flags, keywords, copies, moved and expunged
messages, a queue, and all other databases: junk filters, sessions, keys, reports, policies, webhooks and so on. The
password of all is ${testPassword}. Upgrades of the program are tried on such folders of its earlier versions.

To look at it: mox verifydata folder/data, or mox -config folder/config/mox.conf serve.`.trim(),
  async run(args) {
    const { args: [dir] } = parseFlags(args, {}, { min: 1, max: 1 });
    await makeTestData(dir);
    writeStdout(`made ${dir}; all accounts have the password ${testPassword}\n`);
  },
};

/** `mox webapi`: the web API from a shell. @module */
import { writeStdout } from "../platform/stdio.ts";
import { readStdinBytes } from "../platform/terminal.ts";
import { methods } from "../web/webapi/schemas.ts";
import { jsonSchema } from "../web/webapi/openapi.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { outboundOf, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

/** Bytes of a request, and of an answer. */
const maxRequest = 64 * 1024 * 1024, maxAnswer = 256 * 1024 * 1024;

export const webapi: Command = {
  name: "webapi",
  usage: "webapi [-server address] [method [url]]",
  summary: "List the methods of the web API, describe one, or call it",
  help: `
Without arguments lists the methods of the web API. With a method, prints the JSON Schemas of its request and
answer. With a URL, such as https://user%40example.org:password@mail.example.org/webapi/v0/, calls the method
with a request in JSON from standard input, and prints the answer; the status is 1 for errors.
${serverHelp}`,
  async run(args) {
    const { flags, args: [name, base] } = parseFlags(args, serverFlag, { max: 2 });
    if (name === undefined) {
      for (const [n, m] of Object.entries(methods)) writeStdout(`${n}: ${m.summary}\n`);
      return;
    }
    if (!Object.hasOwn(methods, name)) throw new UsageError(`unknown method ${name}`);
    const method = methods[name as keyof typeof methods];
    if (base === undefined) {
      const answer = method.response === undefined ? "a file" : jsonSchema(method.response);
      writeStdout(
        `${method.summary}\n\nrequest: ${JSON.stringify(jsonSchema(method.request), null, 2)}\n\n`,
      );
      writeStdout(`answer: ${JSON.stringify(answer, null, 2)}\n`);
      return;
    }
    const request = await readStdinBytes(maxRequest);
    const outbound = await outboundOf(resolverOf(flags));
    const answer = await outbound.request({
      ...target(base, name),
      method: "POST",
      body: request,
      rule: undefined,
      timeout: 120_000,
      maxBytes: maxAnswer,
    });
    writeStdout(answer.body);
    if (answer.status === 200) return;
    throw new Error(`the server answers with ${answer.status}`);
  },
};

/** The method's URL, with the credentials of the base in a header. @throws UsageError */
function target(base: string, name: string) {
  if (!URL.canParse(base)) throw new UsageError(`not a URL: ${base}`);
  const url = new URL(base);
  const { username, password } = url;
  url.username = url.password = "";
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const token = new TextEncoder().encode(credentials).toBase64();
  return {
    url: new URL(name, url.href.replace(/\/*$/, "/")),
    headers: { "Content-Type": "application/json", Authorization: `Basic ${token}` },
  };
}

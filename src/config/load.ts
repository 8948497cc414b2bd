/** Reading the two files, reporting all problems together. @module */
import { Buffer } from "node:buffer";
import { parentDir } from "../platform/paths.ts";
import type { AddressIndex } from "./dynamic/addresses.ts";
import { checkDynamic } from "./dynamic/check_dynamic.ts";
import { checkStatic } from "./static/check_static.ts";
import { type Dynamic, dynamicConfig } from "./dynamic/dynamic.ts";
import { checkDynamicFiles, checkStaticFiles } from "./dynamic/key_files.ts";
import { asChosenNode } from "./one_machine.ts";
import { type PathReport, type Report, reportAt, type Type } from "./sconf/schema.ts";
import { type MapNode, maxProblems, parseSconf, type Problem } from "./sconf/sconf.ts";
import { type Static, staticConfig } from "./static/static.ts";

/** Something wrong in a configuration file. */
export interface FileProblem extends Problem {
  /** Path of the file. */
  file: string;
}

/** Something in a file that is ignored, for the log and for `config test`. */
export type FileWarning = FileProblem;

/** A problem in the form `file:line: message`. */
export function formatProblem(problem: FileProblem): string {
  return problem.line > 0
    ? `${problem.file}:${problem.line}: ${problem.message}`
    : `${problem.file}: ${problem.message}`;
}

/** A configuration that can't be used. The message has a line for each problem. */
export class ConfigError extends Error {
  readonly problems: readonly FileProblem[];
  /** The file has these mistakes as it is; they don't come from a change that was to be made. */
  inFile = false;
  constructor(problems: FileProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join("\n"), options);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Most bytes of a file that is read. */
const maxFileSize = 64 * 1024 * 1024;

/** A file's text. @throws ConfigError if it can't be read, or is not UTF-8. */
export async function readConfigFile(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw new Error("it is not a file");
    if (size > maxFileSize) throw new Error("it is too large to be a configuration file");
    bytes = await Deno.readFile(path);
  } catch (err) {
    const message = err instanceof Deno.errors.NotFound
      ? "there is no such file"
      : err instanceof Deno.errors.PermissionDenied
      ? "no permission to read it: check its owner and mode, and those of its folder"
      : err instanceof Error
      ? err.message
      : String(err);
    throw new ConfigError([{ file: path, line: 0, message }], { cause: err });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (err) {
    throw new ConfigError([{
      file: path,
      line: badUtf8Line(bytes),
      message: "the line is not UTF-8",
    }], { cause: err });
  }
}

function badUtf8Line(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    let end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(10, start);
    if (end < 0) end = bytes.length;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end + 1;
  }
  return 0;
}

/** The result of reading a text: always a value, but usable only without problems. */
export interface ReadConfig<T> {
  value: T;
  root: MapNode;
  problems: Problem[];
  /** Warnings: keys that may belong to a newer version of the original. */
  warnings: Problem[];
}

/**
 * Reads a text by a schema, and then runs checks of the whole, whose reports about lines with earlier problems
 * are dropped.
 */
function readText<T>(
  type: Type<T>,
  text: string,
  check: (value: T, report: PathReport) => void,
): ReadConfig<T> {
  const { root, problems } = parseSconf(text);
  const inForm = problems.length === 0;
  const warnings: Problem[] = [];
  const report: Report = (line, message, warning) => {
    const list = warning ? warnings : problems;
    if (list.length < maxProblems) list.push({ line, message });
  };
  const value = type.read(root, 0, report);
  const broken = new Set(problems.map((p) => p.line));
  if (inForm) {
    check(
      value,
      reportAt(root, (line, message, warning) => {
        if (line === 0 || !broken.has(line)) report(line, message, warning);
      }),
    );
  }
  problems.sort((a, b) => (a.line || Infinity) - (b.line || Infinity));
  return { value, root, problems, warnings };
}

/** Options for reading. */
export interface ReadOptions {
  /** Folder of the file, to check the key files that it names; without it they are not checked. */
  dir?: string;
}

/** Reads the text of mox.conf. */
export function readStatic(text: string, options: ReadOptions = {}): ReadConfig<Static> {
  return readText(staticConfig, text, (value, report) => {
    checkStatic(value, report);
    if (options.dir !== undefined) checkStaticFiles(value, options.dir, report);
  });
}

/** Reads the text of domains.conf, for a valid mox.conf. */
export function readDynamic(
  text: string,
  s: Static,
  options: ReadOptions = {},
): ReadConfig<Dynamic> & { addresses: AddressIndex } {
  let addresses: AddressIndex = {
    domains: new Map(),
    destinations: new Map(),
    aliases: new Map(),
    lists: new Map(),
  };
  const read = readText(dynamicConfig, text, (value, report) => {
    addresses = checkDynamic(s, value, report);
    if (options.dir !== undefined) checkDynamicFiles(value, options.dir, report);
  });
  return { ...read, addresses };
}

/** A text's problems as problems of its file. */
export function inFile(file: string, problems: Problem[]): FileProblem[] {
  return problems.map((p) => ({ file, ...p }));
}

/** Loads mox.conf. @throws ConfigError */
export async function loadStatic(path: string): Promise<Static> {
  const { value, problems } = readStatic(await readConfigFile(path), { dir: parentDir(path) });
  if (problems.length > 0) throw new ConfigError(inFile(path, problems));
  asChosenNode(value);
  return value;
}

/** Loads domains.conf. @throws ConfigError */
export async function loadDynamic(
  path: string,
  s: Static,
): Promise<{ value: Dynamic; root: MapNode; addresses: AddressIndex }> {
  const read = readDynamic(await readConfigFile(path), s, { dir: parentDir(path) });
  if (read.problems.length > 0) throw new ConfigError(inFile(path, read.problems));
  return read;
}

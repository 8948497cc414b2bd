import assert from "node:assert/strict";
import {
  dataPath,
  fromFileUrl,
  fromOsPath,
  isAbsolutePath,
  isSafeName,
  isSafeRelative,
  joinPath,
  PathError,
  resolveFrom,
  safeJoin,
  toOsPath,
} from "../../src/platform/paths.ts";

Deno.test("paths with / become those of the system, and back", () => {
  assert.equal(toOsPath("a/b/c.eml", "windows"), "a\\b\\c.eml");
  assert.equal(toOsPath("a/b/c.eml", "posix"), "a/b/c.eml");
  assert.equal(fromOsPath("C:\\mox\\data", "windows"), "C:/mox/data");
  // A backslash is an ordinary character in a Unix file name.
  assert.equal(fromOsPath("a\\b", "posix"), "a\\b");
  assert.equal(joinPath(["C:\\mox", "data/msg", "1"], "windows"), "C:\\mox\\data\\msg\\1");
  assert.equal(joinPath(["/mox", "data/msg", "1"], "posix"), "/mox/data/msg/1");
});

Deno.test("file URLs give paths of the system", () => {
  assert.equal(fromFileUrl("file:///C:/mox/a%20b", "windows"), "C:\\mox\\a b");
  assert.equal(fromFileUrl("file:///mox/a%20b", "posix"), "/mox/a b");
});

Deno.test("a path in a configuration file is relative to its folder unless absolute", () => {
  assert.equal(resolveFrom("/etc/mox", "../data", "posix"), "/etc/data");
  assert.equal(resolveFrom("/etc/mox", "/srv/data", "posix"), "/srv/data");
  assert.equal(resolveFrom("C:\\mox\\config", "../data", "windows"), "C:\\mox\\data");
  assert.equal(resolveFrom("C:\\mox", "D:/data", "windows"), "D:\\data");
  assert.equal(resolveFrom("C:\\mox", "\\\\host\\share\\x", "windows"), "\\\\host\\share\\x");
  // Relative to the current drive: not absolute, so it stays below the folder.
  assert.equal(isAbsolutePath("\\x", "windows"), false);
  assert.equal(isAbsolutePath("C:x", "windows"), false);
});

Deno.test("names that are no plain file name on some system are refused on all", () => {
  const bad = ["", ".", "..", "a/b", "a\\b", "a:b", "nul", "NUL.txt", "com1", "aux.x", "a.", "a "];
  bad.push("a\0", "a\nb", "a*", "a?", "<a>", "x".repeat(256), "\u00e9".repeat(128));
  for (const name of bad) assert.equal(isSafeName(name), false, JSON.stringify(name));
  for (const name of ["a", ".a", "a b", "console", "com10", "\u00e9\u4e2d", "x".repeat(255)]) {
    assert.equal(isSafeName(name), true, JSON.stringify(name));
  }
  assert.equal(isSafeRelative("a/b/c"), true);
  for (const path of ["/a", "a//b", "a/../b", "a/", "a\\..\\b"]) {
    assert.equal(isSafeRelative(path), false, path);
  }
});

Deno.test("no name from outside leads out of the data folder", () => {
  assert.throws(() => dataPath("data", "accounts", "../x"), PathError);
  assert.throws(() => safeJoin("C:\\data", "a/C:/x", "windows"), PathError);
  assert.equal(safeJoin("C:\\data", "a/b", "windows"), "C:\\data\\a\\b");
});

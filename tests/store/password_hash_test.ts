/** Hashes of other servers' passwords. Those in the tables were made with Dovecot's doveadm and with OpenSSL. */
import assert from "node:assert/strict";
import {
  looksLikeHash,
  parsePasswordHash,
  plainPassword,
  verifyPasswordHash,
} from "../../src/store/logins/password_hash.ts";

const password = "Geheim 1 äö";
const hashes =
  `{SHA512-CRYPT}$6$HXgk247e1USPZY.8$MRDyl9e5sOwAG74i1y6wP45Sh/9b3hRs2CCBxOihxUjBfL3z/VvAiO/CygRFPD900fVhwFiJMekuslx3aXn43/
{SHA256-CRYPT}$5$Vc.56XFVSzhZWj3x$GlFATOdeLcsAlaWQpq5FnkOp1R46gqg9H8mHo7AAIY6
{BLF-CRYPT}$2y$05$GvfFyVh4UhNuC3Vo6Yn6Q.nu26QYpqikK8wcNw7KtF1vI.wR2YQBm
{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$k4rK22uAij3Rxe7qP4BzyQ$vifIVjkdoI+nbmxQlMILEOMP/r5+d26hR4CknHaGPv8
{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$B25Q47MvMrZiSHwibvhuAw$TlrC90DGQEWdlY0hK4/SQ6zHXgAww61QGMU0mqQ9CGo
{PBKDF2}$1$DsJsYZUsfusBtOSJ$5000$8444b8fbcf4ad013636dacf2a92249b59ff6cbc2
{SSHA}N8n3SObnIwWQHKbrBb2SVOlJN1azDcQc
{MD5-CRYPT}$1$cLGPE93.$VYZjh3uBumqU0sx6cgP9P.
{SSHA256}x38gwXPOL/Va823/75ruhXIH/N+4xS0Qz5B3Rc7UjBb3hA+m
{SSHA512}7GA6vxbnSRPyj0b2GuGzPgED2uHa5/eJpREM2f2UxvwfR1pYGpQAUxczs+Zq1x+gTalcjql+mAqAphXBHZNzop9ePdk=
{SHA512}p2K71WDlMfY535BxF6mbmBYLX/icj1Hsld9DKFUQkDRDMvZ99QoBpspGhBR/6w34TIX1P7OEcIwM+MZBDAkqkw==
{SHA256}iEkXN3b8x5aIyr1ZilzukeZF2UpAD0Kwkv501/e30nQ=
{SCRAM-SHA-256}4096,bwpgkMq7GvHkF+60Wte8vA==,6DsmlWNnGWYc1Ah42ymXAEUhVJcFnWw2O/cUXBB7Gec=,mlNvZlZkCLX1Bua4I/o2rYlblcgaQd9qprQry1rslFQ=
{SCRAM-SHA-1}4096,E/h3LedNa9F7r1aknaVErQ==,9i9ILaNuP37VI3EU2JgXfTU1lqQ=,9ELrCWwiCm5KFbEunFWpG6lQVU0=
{SSHA512.HEX}236ee5c14448f202ecb57c859b9849c30f55791b772cbaca38ab42ac46b017fda9079ac7aba0c991733898400e0bc5f4fd83904acfbb4f38d1c9c3ea839a18ad5cb87d03`
    .split("\n");

async function fits(text: string, given: string): Promise<boolean> {
  const hash = parsePasswordHash(text);
  assert(hash, `can't be read: ${text}`);
  return await verifyPasswordHash(hash, given);
}

Deno.test("hashes of Dovecot's schemes fit their password, and no other", async () => {
  for (const text of hashes) {
    assert(looksLikeHash(text), text);
    assert(await fits(text, password), text);
    assert(!await fits(text, `${password}.`), text);
    assert(!await fits(text, ""), text);
  }
  // Without a prefix, as /etc/shadow and databases have them.
  for (const text of hashes.filter((h) => /^\{[A-Z0-9-]*(?:CRYPT|ARGON2ID?)\}/.test(h))) {
    assert(await fits(text.replace(/^\{[^}]*\}/, ""), password), text);
    assert(await fits(text.replace(/^\{[^}]*\}/, "{CRYPT}"), password), text);
  }
});

Deno.test("SHA-crypt: an empty password, rounds, long passwords, a salt that is cut", async () => {
  assert(
    await fits(
      "$6$3TTTRHM9U0Lwx0wR$6r0TJi47hZU2YRqpywuIYs4mBiXANVU.qu35aXmu9xB/ZfMP0mK9Y79xkpWwQjvnmAB0nIWtFNYRzKoGJQUJa.",
      "",
    ),
  );
  assert(
    await fits(
      "$6$rounds=1000$bOlnXPclKVwssC8L$4K3TMfywAEuQwnF4boIMCw3PKZIp6qvwQPfU1Yq9v7Druv.MJxME5/IFmavKHM.mLskFavI6GQGHnHBaR/gjj0",
      "this is a rather long password, longer than sixty-four bytes as they make another turn",
    ),
  );
  assert(
    await fits("$5$toolongsaltstrin$5HmNJgXuzoMFjHvwjTNI8Mc7HEWhS69Cp384XR7KDD3", "x"),
  );
});

Deno.test("MD5-crypt of an ISPConfig user, as somebody moved it", async () => {
  assert(await fits("{MD5-CRYPT}$1$poLjctfX$nSxwhTLffAVUyYTUewFAq/", "testtest"));
  assert(!await fits("$1$poLjctfX$nSxwhTLffAVUyYTUewFAq/", "testtesu"));
});

Deno.test("passlib's PBKDF2, as of RFC 6070's second vector", async () => {
  // PBKDF2-HMAC-SHA1("password", "salt", 4096 rounds).
  const digest = Uint8Array.fromHex("4b007901b765489abead49d926f721d065a429c1").toBase64()
    .replaceAll("+", ".").replace("=", "");
  assert(await fits(`$pbkdf2$4096$c2FsdA$${digest}`, "password"));
  assert(!await fits(`$pbkdf2$4096$c2FsdA$${digest}`, "Password"));
});

Deno.test("what would take minutes, is damaged or unknown is no hash that can be verified", () => {
  for (
    const text of [
      "",
      "password",
      "{CRYPT}rl5FE2Ms5AVJk",
      // As md5() of PHP has it, under a wrong name.
      "{MD5-CRYPT}c3af58603be288769bb31d980bb74abc",
      "{SSHA}short",
      "{SSHA512}N8n3SObnIwWQHKbrBb2SVOlJN1azDcQc",
      "$2y$31$GvfFyVh4UhNuC3Vo6Yn6Q.nu26QYpqikK8wcNw7KtF1vI.wR2YQBm",
      "$6$rounds=999999999$salt$" + "a".repeat(86),
      "$argon2id$v=19$m=99999999,t=3,p=1$B25Q47MvMrZiSHwibvhuAw$TlrC90DGQEWdlY0hK4",
      "{PBKDF2}$1$salt$9999999$8444b8fbcf4ad013636dacf2a92249b59ff6cbc2",
      "{SCRAM-SHA-256}4096,a,b",
    ]
  ) assert.equal(parsePasswordHash(text), undefined, text);
  assert(looksLikeHash("{CRYPT}rl5FE2Ms5AVJk"));
  assert(looksLikeHash("$7$abc"));
  assert(!looksLikeHash("{not a scheme"));
  assert(!looksLikeHash("pa$$word{1}"));
  assert.equal(plainPassword("{PLAIN}se}cret"), "se}cret");
  assert.equal(plainPassword("se}cret"), undefined);
});

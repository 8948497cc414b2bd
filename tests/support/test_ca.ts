/** A certificate authority for tests: a root that signs certificates for any key and names. */
import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { der, derOid, derTime, pem, Tag } from "../../src/net/der.ts";

const encoder = new TextEncoder();
const algorithm = der(Tag.sequence, derOid("1.2.840.10045.4.3.2"));

function name(text: string): Uint8Array {
  return der(
    Tag.sequence,
    der(Tag.set, der(Tag.sequence, derOid("2.5.4.3"), der(Tag.utf8String, encoder.encode(text)))),
  );
}

function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(Tag.boolean, Uint8Array.of(0xff))] : [];
  return der(Tag.sequence, derOid(oid), ...flag, der(Tag.octetString, value));
}

export class TestCa {
  readonly #key: KeyObject;
  readonly #name: Uint8Array;
  /** Its own certificate, PEM. */
  readonly root: string;

  /**
   * @param by who signs its certificate; itself if not given
   * @param authority false for one that signs without being allowed to
   */
  constructor(commonName = "Root of tests", by?: TestCa, authority = true) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    this.#name = name(commonName);
    const extensions = authority
      ? [
        extension("2.5.29.19", true, der(Tag.sequence, der(Tag.boolean, Uint8Array.of(0xff)))),
        extension("2.5.29.15", true, der(Tag.bitString, Uint8Array.of(1, 0x06))),
      ]
      : [];
    const from = new Date(Date.now() - 86_400_000);
    this.root = (by ?? this).#sign(this.#name, publicKey, from, 3650, extensions);
  }

  /** A key with its certificate, followed by those that sign it. */
  pair(names: string[], days = 90, ...above: TestCa[]): { key: string; cert: string } {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return {
      key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
      cert: this.issue(publicKey, names, days) + above.map((ca) => ca.root).join(""),
    };
  }

  /** A certificate for DNS names, valid from an hour ago. */
  issue(spki: KeyObject | Uint8Array, names: string[], days = 90): string {
    const key = spki instanceof Uint8Array
      ? createPublicKey({ key: spki as Buffer, format: "der", type: "spki" })
      : spki;
    return this.#sign(name(names[0]), key, new Date(Date.now() - 3_600_000), days, [
      extension(
        "2.5.29.17",
        false,
        der(Tag.sequence, ...names.map((n) => der(Tag.context(2), encoder.encode(n)))),
      ),
      extension("2.5.29.19", true, der(Tag.sequence)),
    ]);
  }

  #sign(
    subject: Uint8Array,
    key: KeyObject,
    from: Date,
    days: number,
    extensions: Uint8Array[],
  ): string {
    const serial = Uint8Array.from(randomBytes(16));
    serial[0] = (serial[0] & 0x7f) | 0x40;
    const tbs = der(
      Tag.sequence,
      der(Tag.constructedContext(0), der(Tag.integer, Uint8Array.of(2))),
      der(Tag.integer, serial),
      algorithm,
      this.#name,
      der(Tag.sequence, derTime(from), derTime(new Date(from.getTime() + days * 86_400_000))),
      subject,
      Uint8Array.from(key.export({ type: "spki", format: "der" })),
      der(Tag.constructedContext(3), der(Tag.sequence, ...extensions)),
    );
    const signature = Uint8Array.from(sign("sha256", tbs, this.#key));
    return pem(
      "CERTIFICATE",
      der(Tag.sequence, tbs, algorithm, der(Tag.bitString, Uint8Array.of(0), signature)),
    );
  }
}

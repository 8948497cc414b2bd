/** Fuzz targets: signatures of messages, and keys in cards. @module */
import { checkSmime } from "../../src/encryption/mod.ts";
import { cardKeys } from "../../src/web/webmail/signature.ts";
import type { Target } from "./targets.ts";

/** A SignedData with its content, by openssl, for e@x. */
const signed = Uint8Array.from(
  atob(
    "MIAGCSqGSIb3DQEHAqCAMIACAQExDTALBglghkgBZQMEAgEwgAYJKoZIhvcNAQcBoIAkgAQqQ29udGVudC1UeXBlOiB0ZXh0" +
      "L3BsYWluDQoNCmhlbGxvIHfDtnJsZA0KAAAAAAAAoIIBgTCCAX0wggEjoAMCAQICFAxCrG4kk3NwkeHnV4sKN2OaDjqbMAoG" +
      "CCqGSM49BAMCMAwxCjAIBgNVBAMMAUUwHhcNMjYxMTMwMTEzNDIyWhcNMzYxMTI3MTEzNDIyWjAMMQowCAYDVQQDDAFFMFkw" +
      "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/k8s+l+wl7MHZj6xpfXPL/5xRHyhoqsirTZL5ipYb5JzFDVYL3KEmpmNbwJmRVmZ" +
      "FbfYW0Pzk3qFZihbH8+HTKNjMGEwHQYDVR0OBBYEFIs/5Yma52ON9f1Wz379pbA8jRgdMB8GA1UdIwQYMBaAFIs/5Yma52ON" +
      "9f1Wz379pbA8jRgdMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0RBAcwBYEDZUB4MAoGCCqGSM49BAMCA0gAMEUCIE1pjVMmldl7" +
      "ehSGM6vLKHKLAsWMEBnCx7E4QrBPHcIqAiEAtSH+2izyXaF/RTuvYQ47ph8Md+Rk5sa0Sh0gC1kLQLIxggF1MIIBcQIBATAk" +
      "MAwxCjAIBgNVBAMMAUUCFAxCrG4kk3NwkeHnV4sKN2OaDjqbMAsGCWCGSAFlAwQCAaCB5DAYBgkqhkiG9w0BCQMxCwYJKoZI" +
      "hvcNAQcBMBwGCSqGSIb3DQEJBTEPFw0yNjExMzAxMTM0MjJaMC8GCSqGSIb3DQEJBDEiBCBB2T4rFsrHT8syfq5Oqilz8BQl" +
      "90FmscyY14nISn2MlzB5BgkqhkiG9w0BCQ8xbDBqMAsGCWCGSAFlAwQBKjALBglghkgBZQMEARYwCwYJYIZIAWUDBAECMAoG" +
      "CCqGSIb3DQMHMA4GCCqGSIb3DQMCAgIAgDANBggqhkiG9w0DAgIBQDAHBgUrDgMCBzANBggqhkiG9w0DAgIBKDAKBggqhkjO" +
      "PQQDAgRGMEQCIFIwh4RHac89E4T4oYYQ9mE0zADoXQ9+scqg/3g11OAgAiAQdTctCb/Z4y2WELeGYdWdFOacOAyguLh6JTE4" +
      "hYdJzwAAAAAAAA==",
  ),
  (c) => c.charCodeAt(0),
);
const latin1 = new TextDecoder("latin1");

export const signatureTargets: Record<string, Target> = {
  "signed data": {
    seeds: [signed],
    run(input) {
      const { state } = checkSmime({
        ...{ cms: input, content: undefined, from: "e@x", trusted: [], now: 0 },
      });
      // Nobody is trusted.
      if (state === "good") throw new Error("vouched for by nobody");
    },
  },
  "keys of cards": {
    seeds: ["KEY;TYPE=PGP;ENCODING=b:AAAA\r\n", "a.KEY:data:application/pgp-keys;base64,AAAA"],
    run: (input) => void cardKeys(latin1.decode(input)),
  },
};

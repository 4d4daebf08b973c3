/**
 * What a responder, a server of issuers, and the authority information access of a certificate can say, with everything
 * that is made of it. The question is about one fixed certificate, so that kept responses with its issuer's signature
 * reach the code behind the signature. Effects: none; throws what a reader throws.
 */
import { issuersAmong, missingIssuers, readIssuerFile } from '../../src/tls/aia.ts';
import { parseCertificate } from '../../src/tls/certificate.ts';
import { parseAuthorityInfoAccess } from '../../src/tls/certificate-extensions.ts';
import { DerError } from '../../src/tls/der.ts';
import { judgeOcspResponse } from '../../src/tls/ocsp.ts';
import { respondersOf } from '../../src/tls/ocsp-policy.ts';
import { parseOcspResponse } from '../../src/tls/ocsp-response.ts';
import { standingOf, succeed } from '../../src/tls/ocsp-standing.ts';
import { stapleOf } from '../../src/tls/stapling.ts';
import { buildTrustStore } from '../../src/tls/trust-store.ts';

const NOW_MS = Date.UTC(2026, 10, 25);
const NONCE = Buffer.alloc(32, 7);
const certificateOf = (base64: string) => parseCertificate(Buffer.from(base64, 'base64'));

/** CN=Fuzz CA,O=Example; its key is lost. */
const issuer = certificateOf(
  'MIIBWjCCAQCgAwIBAgIBATAKBggqhkjOPQQDAjAkMRAwDgYDVQQKDAdFeGFtcGxlMRAwDgYDVQQDDAdGdXp6IENBMB4XDTIwMDEw' +
    'MTAwMDAwMFoXDTQwMDEwMTAwMDAwMFowJDEQMA4GA1UECgwHRXhhbXBsZTEQMA4GA1UEAwwHRnV6eiBDQTBZMBMGByqGSM49AgEG' +
    'CCqGSM49AwEHA0IABJnMy9mCb9czzvuzSjkT9Ls51TM7aeF+4tYrggJBNelkoA/u/qlKbhSvOhuUC5GbR+R+C4FYHCR3jaV2k9Se' +
    '82mjIzAhMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMCA0gAMEUCIQC7lxsi2KZJ4NMTs6TDCFMR' +
    'r/fHthzz5XLtB07lObA1bgIgA3WTYfOmVwpRv5opO7bN55sNsyux36vWukhYpi89nd8=',
);
/** Serial number 1001 of that authority; it names a responder and an address of its issuer. */
const certificate = certificateOf(
  'MIIBvzCCAWSgAwIBAgICEAEwCgYIKoZIzj0EAwIwJDEQMA4GA1UECgwHRXhhbXBsZTEQMA4GA1UEAwwHRnV6eiBDQTAeFw0yMDAx' +
    'MDEwMDAwMDBaFw00MDAxMDEwMDAwMDBaMDUxEDAOBgNVBAoMB0V4YW1wbGUxITAfBgNVBAMMGEFEQU1TLkFMSUNFLkEuMTAwMDAw' +
    'MDAwMTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFE6gl8SyGGDjDQ1mG+1uOCCxl1nWlyUxEVu+0iQPIdQFWFpkEaStgy7QNTx' +
    'FW+BMF6L+KNgcWEYdvokYJ8XKH+jdTBzMA4GA1UdDwEB/wQEAwIHgDBhBggrBgEFBQcBAQRVMFMwJQYIKwYBBQUHMAGGGWh0dHA6' +
    'Ly9vY3NwLmV4YW1wbGUudGVzdC8wKgYIKwYBBQUHMAKGHmh0dHA6Ly9haWEuZXhhbXBsZS50ZXN0L2NhLmRlcjAKBggqhkjOPQQD' +
    'AgNJADBGAiEAvjjc7g6FuZtJOO2848rWZqktLqV9LNtVVU1owkbxlDcCIQCRkGU0hRHEGZ+U6+KkjlPQR4RGkzzHNrn1uA+waAd5' +
    '3w==',
);
const NO_ANCHORS = buildTrustStore([]);
const HOSTS = ['aia.example.test', '.example.test:8443', '[::1]'];

/** As a session and a listener's staple take it. */
export function readOcspResponse(response: Uint8Array): unknown {
  const check = { certificate, issuer, response, nowMs: NOW_MS, maxAgeMs: 3_600_000 };
  const verdicts = [
    judgeOcspResponse(check),
    judgeOcspResponse({ ...check, nonce: NONCE }),
    judgeOcspResponse({ ...check, nonce: NONCE, nonceRequired: true }),
  ];
  const standings = verdicts.map((verdict) => standingOf([{ responder: 'a', verdict }], 3_600_000, NOW_MS));
  const [first, second] = standings;
  return {
    verdicts,
    standings,
    next: first && second && succeed(first, second, NOW_MS),
    staples: verdicts.map((verdict) => stapleOf(verdict, response)),
    // Last, because it throws where the verdicts say in words what is wrong.
    parsed: parseOcspResponse(response),
  };
}

/** As a search for missing issuers takes it. */
export function readIssuers(bytes: Uint8Array): unknown {
  const file = readIssuerFile(bytes);
  if (!file.ok) throw new DerError(file.why);
  const issuers = issuersAmong(file.certificates, [certificate]);
  const climb = { leaf: certificate, known: issuers, trustStore: NO_ANCHORS, allowHosts: HOSTS };
  return { file, issuers: issuers.map(({ der }) => der), next: missingIssuers(climb) };
}

/** The extension's value: who would be asked. */
export function readAccess(value: Uint8Array): unknown {
  const authorityInfoAccess = parseAuthorityInfoAccess(value);
  const leaf = { ...certificate, authorityInfoAccess };
  return {
    authorityInfoAccess,
    responders: respondersOf(leaf, { allowHosts: HOSTS }),
    issuers: missingIssuers({ leaf, known: [], trustStore: NO_ANCHORS, allowHosts: HOSTS }),
  };
}

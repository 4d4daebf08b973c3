/** What a client sees of a staple. Peer: OpenSSL. Effects: runs openssl against a listener on loopback. */
import { spawn } from 'node:child_process';

/** What `openssl s_client -status` prints of the handshake after STARTTLS. */
export function statusOf(port: number): Promise<string> {
  const args = ['s_client', '-status', '-starttls', 'smtp', '-connect', `127.0.0.1:${port}`];
  const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.end('QUIT\r\n');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}

export const STAPLED = /OCSP Response Status: successful[^]*Cert Status: good/;
export const NOT_STAPLED = /OCSP response: no response sent/;

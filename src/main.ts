/**
 * Start, signals, stop; nothing else. Refuses a Node that the TLS layer was not tested with: older ones report
 * `authorized` for resumed sessions without a certificate. Effects: process.
 */
import { runCommand } from './cli/commands.io.ts';

function testedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 24 && minor >= 21) || (major === 26 && minor >= 10) || major > 26;
}

if (testedNode(process.versions.node)) {
  const code = await runCommand(process.argv.slice(2));
  // All of the answer is with its reader before the end: a pipe takes 64 KiB and then waits.
  await new Promise((written) => process.stdout.write('', written));
  // A command that has said its answer ends: a download or a look-up that still hangs does not hold it.
  process.exit(code);
} else {
  process.stdout.write(
    `sallyport: Node ${process.versions.node} is too old: it needs 24.21 or newer of the 24 line, or 26.10 or newer. Run npm ci, which brings one.\n`,
  );
  process.exitCode = 1;
}

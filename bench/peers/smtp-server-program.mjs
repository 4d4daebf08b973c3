/**
 * nodemailer's smtp-server with what it lacks for the comparison: a client certificate that must have verified, one search in
 * the directory on the third port, and write, fsync and rename before 250. Run with the folder of its node_modules as
 * first argument. Effects: listens on loopback, writes files.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [home, folder, cert, key, ca, tlsPort, plainPort, ldapPort, ldapUrl, baseDn, dn, password] = process.argv.slice(2);
const require = createRequire(join(home, 'package.json'));
const { SMTPServer } = require('smtp-server');
const { Client } = require('ldapts');

const directory = new Client({ url: ldapUrl });
await directory.bind(dn, password);
let files = 0;

const { open, rename } = fs.promises;
async function store(parts) {
  const name = join(folder, `m${++files}`);
  const file = await open(`${name}.tmp`, 'w');
  await file.writev(parts);
  await file.sync();
  await file.close();
  await rename(`${name}.tmp`, name);
}

async function storeAndAnswer(parts, callback) {
  let failure = null;
  try {
    await store(parts);
  } catch (error) {
    failure = error;
  }
  callback(failure, 'ok');
}

function start(port, { secure, asks }) {
  const server = new SMTPServer({
    ...(secure
      ? {
          cert: fs.readFileSync(cert),
          key: fs.readFileSync(key),
          ca: fs.readFileSync(ca),
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: 'TLSv1.3',
        }
      : {}),
    hideSTARTTLS: !secure,
    disabledCommands: ['AUTH'],
    disableReverseLookup: true,
    authOptional: true,
    size: 100 * 1024 * 1024,
    logger: false,
    async onMailFrom(_address, session, callback) {
      if (secure && !session.secure) return callback(new Error('TLS first'));
      if (!asks) return callback();
      const { subject, serialNumber } = this.peer(session);
      const filter = `(&(caccn=${subject})(cacserial=${serialNumber}))`;
      const { searchEntries } = await directory.search(baseDn, { filter, attributes: ['uid'] });
      return callback(searchEntries.length === 1 ? null : new Error('unknown certificate'));
    },
    onData(stream, _session, callback) {
      const parts = [];
      stream.on('data', (part) => parts.push(part));
      stream.on('end', () => void storeAndAnswer(parts, callback));
    },
  });
  // The session object has no certificate; its connection does.
  server.peer = (session) => {
    for (const connection of server.connections)
      if (connection.session === session) {
        const certificate = connection._socket.getPeerX509Certificate();
        return { subject: /CN=([A-Z.0-9]+)/.exec(certificate.subject)[1], serialNumber: certificate.serialNumber };
      }
    throw new Error('no such session');
  };
  server.on('error', () => undefined);
  server.listen(Number(port), '127.0.0.1');
}

start(tlsPort, { secure: true, asks: false });
start(plainPort, { secure: false, asks: false });
start(ldapPort, { secure: true, asks: true });

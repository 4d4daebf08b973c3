/**
 * `sallyport ldaptest`: asks the directory exactly what a session would ask, and shows every stage. The password is
 * typed without echo, or is the first line of standard input where that is no terminal; it is never an argument,
 * because others can see those. Effects: reads the configuration and its files, the directory, standard input.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { certificateLookup } from '../certificate-lookup.ts';
import type { Config } from '../config/schema.ts';
import { type LdapQueries, openQueries } from '../ldap/queries.io.ts';
import { loadRevision } from '../revision.ts';
import { parseArguments, type Write } from './arguments.ts';
import { readPassword } from './password.io.ts';
import { chooseQuery, concludeCertificate, concludeLogin, renderHost, renderStage } from './ldaptest.ts';

const USAGE = 'usage: sallyport ldaptest --config FILE [--query NAME] (--user USER | --certificate FILE)\n';

export async function ldaptest(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['config', 'query', 'user', 'certificate'] });
  if (typeof parsed === 'string') return refuse(write, parsed);
  const { config: file, query, user, certificate } = parsed.options;
  if (file === undefined || parsed.rest.length > 0 || (user === undefined) === (certificate === undefined)) {
    return refuse(write, '');
  }
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return 1;
  }
  const { config, material } = loaded.revision;
  const chosen = chooseQuery(config.ldap.queries, user === undefined ? 'certificate' : 'smtpAuth', query);
  if (chosen.answer !== 'yes') {
    write(`sallyport: ${chosen.why}\n`);
    return 1;
  }
  const clock = { now: (): number => Date.now() };
  const queries = openQueries(config, material, { clock, log: { emit: () => undefined }, receiveThreads: 1 });
  try {
    const asked = { config, queries, name: chosen.value, write };
    return user === undefined ? await testCertificate(asked, certificate ?? '') : await testLogin(asked, user);
  } finally {
    queries.close();
  }
}

function refuse(write: Write, why: string): number {
  write(why === '' ? USAGE : `${USAGE}${why}\n`);
  return 2;
}

type Asked = { readonly config: Config; readonly queries: LdapQueries; readonly name: string; readonly write: Write };

async function showServer({ config, queries, name, write }: Asked): Promise<void> {
  const query = config.ldap.queries[name];
  write(`LDAP query ${name} (${query?.type}) on server ${query?.server}\n`);
  for (const host of await queries.directory(name).test()) write(renderHost(host));
}

async function testCertificate(asked: Asked, file: string): Promise<number> {
  const { queries, name, write } = asked;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    write(
      `sallyport: cannot read ${file}: ${error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'}\n`,
    );
    return 1;
  }
  const certificate = certificateLookup(bytes);
  if (!certificate.ok) {
    write(`sallyport: ${file}: ${certificate.why}\n`);
    return 1;
  }
  await showServer(asked);
  const ask = queries.certificate(name, (stage) => write(renderStage(stage)));
  const { text, code } = concludeCertificate(await ask(certificate.lookup, Date.now()));
  write(text);
  return code;
}

async function testLogin(asked: Asked, login: string): Promise<number> {
  const { config, queries, name, write } = asked;
  const password = await readPassword();
  await showServer(asked);
  const askAllowance = config.ldap.queries[name]?.allowance !== undefined;
  const defaultDomain = Object.values(config.listeners).find(
    (listener) => listener.defaultDomain !== undefined,
  )?.defaultDomain;
  const ask = queries.smtpAuth(name, (stage) => write(renderStage(stage)));
  const answer = await ask({ login, password, nowMs: Date.now(), defaultDomain, askAllowance });
  const { text, code } = concludeLogin(answer, askAllowance);
  write(text);
  return code;
}

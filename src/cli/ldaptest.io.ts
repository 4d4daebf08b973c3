/**
 * `sallyport ldaptest`: asks the directory exactly what a session would ask, and shows every stage. The password is
 * typed without echo, or is the first line of standard input where that is no terminal; it is never an argument,
 * because others can see those. Effects: reads the configuration and its files, the directory, standard input.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { certificateLookup } from '../certificate-lookup.ts';
import type { Config } from '../config/schema.ts';
import { type Answer, yes } from '../core/verdict.ts';
import { type AskOwner, type CertificateMapping, type LdapQueries, openQueries } from '../ldap/queries.io.ts';
import { loadRevision } from '../revision.ts';
import { parseArguments, type Write } from './arguments.ts';
import { readPassword } from './password.io.ts';
import {
  chooseProfile,
  chooseQuery,
  concludeCertificate,
  concludeLogin,
  renderHost,
  renderStage,
  renderStaticMap,
} from './ldaptest.ts';

const USAGE =
  'usage: sallyport ldaptest --config FILE [--query NAME] (--user USER | --certificate FILE [--profile NAME])\n';

export async function ldaptest(args: readonly string[], write: Write): Promise<number> {
  const parsed = parseArguments(args, { options: ['config', 'query', 'user', 'certificate', 'profile'] });
  if (typeof parsed === 'string') return refuse(write, parsed);
  const { config: file, query, user, certificate, profile } = parsed.options;
  const wrong =
    file === undefined ||
    parsed.rest.length > 0 ||
    (user === undefined) === (certificate === undefined) ||
    (profile !== undefined && (user !== undefined || query !== undefined));
  if (wrong) return refuse(write, '');
  const loaded = await loadRevision({ file: path.normalize(file), dataDir: undefined, number: 1 });
  if (!loaded.ok) {
    for (const line of loaded.faults) write(`${line}\n`);
    return 1;
  }
  const { config, material } = loaded.revision;
  const clock = { now: (): number => Date.now() };
  const queries = openQueries(config, material, { clock, log: { emit: () => undefined }, receiveThreads: 1 });
  try {
    const asked = { config, queries, write };
    return user === undefined
      ? await testCertificate(asked, certificate ?? '', { query, profile })
      : await testLogin(asked, user, query);
  } finally {
    queries.close();
  }
}

function refuse(write: Write, why: string): number {
  write(why === '' ? USAGE : `${USAGE}${why}\n`);
  return 2;
}

type Asked = { readonly config: Config; readonly queries: LdapQueries; readonly write: Write };

function refuseToAsk(write: Write, why: string): number {
  write(`sallyport: ${why}\n`);
  return 1;
}

async function showServer({ config, queries, write }: Asked, name: string): Promise<void> {
  const query = config.ldap.queries[name];
  write(`LDAP query ${name} (${query?.type}) on server ${query?.server}\n`);
  for (const host of await queries.directory(name).test()) write(renderHost(host));
}

type Chosen = { readonly query: string | undefined; readonly profile: string | undefined };

async function testCertificate(asked: Asked, file: string, chosen: Chosen): Promise<number> {
  const { write } = asked;
  const question = ownerQuestion(asked, chosen);
  if (question.answer !== 'yes') return refuseToAsk(write, question.why);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return refuseToAsk(write, `cannot read ${file}: ${why}`);
  }
  const certificate = certificateLookup(bytes);
  if (!certificate.ok) return refuseToAsk(write, `${file}: ${certificate.why}`);
  const { text, code } = concludeCertificate(await certificate.owner(question.value, Date.now()));
  write(text);
  return code;
}

type Question = Parameters<Extract<ReturnType<typeof certificateLookup>, { ok: true }>['owner']>[0];

/** As the profile asks, or as the query alone does. */
function ownerQuestion(asked: Asked, { query, profile }: Chosen): Answer<Question> {
  const { config, queries, write } = asked;
  const meant = query === undefined ? chooseProfile(config.smtpAuthProfiles, profile) : yes(undefined);
  if (meant.answer !== 'yes') return meant;
  const askQuery = (name: string, mapping?: CertificateMapping): AskOwner => {
    const ask = queries.certificate(name, mapping, (stage) => write(renderStage(stage)));
    return async (...question) => {
      await showServer(asked, name);
      return ask(...question);
    };
  };
  if (meant.value === undefined) {
    const chosen = chooseQuery(config.ldap.queries, 'certificate', query);
    if (chosen.answer !== 'yes') return chosen;
    return yes({ profile: '', config: { query: chosen.value, staticMap: undefined }, ask: askQuery(chosen.value) });
  }
  const { name, config: owned } = meant.value;
  const { mapping: rules, compareCertificate } = owned;
  return yes({
    profile: name,
    config: owned,
    ask: owned.query === undefined ? undefined : askQuery(owned.query, { rules, compareCertificate }),
    onStaticMap: (answer) => write(renderStaticMap(name, answer)),
  });
}

async function testLogin(asked: Asked, login: string, query: string | undefined): Promise<number> {
  const { config, queries, write } = asked;
  const chosen = chooseQuery(config.ldap.queries, 'smtpAuth', query);
  if (chosen.answer !== 'yes') return refuseToAsk(write, chosen.why);
  const name = chosen.value;
  const password = await readPassword();
  await showServer(asked, name);
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

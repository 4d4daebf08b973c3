/**
 * The configuration: read it, change a candidate, commit, confirm, roll back. A candidate belongs to one session, one
 * token, or one local account. AsyncOS: commit, clearchanges, showchanges, rollbackconfig, showconfig, saveconfig,
 * loadconfig. Pure.
 */
import { z } from 'zod';
import { MAX_CONFIRM_MS } from '../config/configuration-store.ts';
import { parseFaultPath } from '../core/fault-path.ts';
import { routesOf } from './route.ts';
import { json, limit, problemError, timeMs } from './schemas.ts';

const MAX_TEXT_CHARS = 8 * 1024 * 1024;
const MAX_LOAD_BYTES = 9 * 1024 * 1024;

const steps = z
  .array(z.union([z.string().max(300), z.int().nonnegative()]))
  .max(32)
  .meta({ description: 'Keys and list indexes from the root; empty: the whole.' });

/** `listeners.mx.hat[0]` in a query. */
const pathText = z
  .string()
  .max(1000)
  .refine((text) => parseFaultPath(text) !== undefined, 'not a path: listeners.mx.hat[0].policy is one')
  .optional()
  .meta({ description: 'A part: `listeners.mx.hat[0]`; without it the whole.' });

const whichText = z
  .string()
  .regex(/^(running|candidate|[1-9]\d{0,8})$/, 'running, candidate or the number of a revision')
  .meta({ description: '`running`, `candidate`, or the number of a revision.' });

const which = z.union(
  [z.enum(['running', 'candidate']), z.int().min(1)],
  'running, candidate or the number of a revision',
);

const edit = z
  .discriminatedUnion('op', [
    z.strictObject({ op: z.literal('set'), path: steps, value: json }),
    z.strictObject({ op: z.literal('delete'), path: steps }),
    z.strictObject({ op: z.literal('insert'), path: steps, value: json }),
    z.strictObject({ op: z.literal('move'), path: steps, to: z.int().nonnegative() }),
    z.strictObject({ op: z.literal('rename'), path: steps, to: z.string().max(300) }),
  ])
  .meta({
    id: 'Edit',
    description:
      '`set` makes the mappings on the way, and appends behind a list’s last entry; `insert` comes before the entry of that index; `move` gives an entry another index; `rename` names an object anew, and what refers to it follows.',
  });

const change = z
  .strictObject({
    path: steps,
    op: z.enum(['add', 'remove', 'change']),
    before: json.optional(),
    after: json.optional(),
    secret: z.literal(true).optional().meta({ description: 'A secret changed: both sides are masked.' }),
  })
  .meta({ id: 'Change' });

const revision = z
  .strictObject({
    number: z.int(),
    atMs: timeMs,
    author: z.string(),
    comment: z.string(),
    rollbackTo: z.int().optional().meta({ description: 'The revision whose document this one repeats.' }),
  })
  .meta({ id: 'Revision' });

const unconfirmed = z
  .strictObject({ revision: z.int(), backTo: z.int(), deadlineMs: timeMs, author: z.string() })
  .meta({ id: 'Unconfirmed', description: 'Goes back by itself at `deadlineMs` unless it is confirmed.' });

const candidateInfo = z
  .strictObject({
    session: z.string(),
    author: z.string(),
    base: z.int().meta({ description: 'The revision it started from.' }),
    version: z.int().meta({ description: 'Grows with every edit: its entity tag.' }),
    changedMs: timeMs,
  })
  .meta({ id: 'CandidateInfo' });

const conflict = z
  .strictObject({ path: steps, mine: json.optional(), theirs: json.optional(), revision })
  .meta({ id: 'Conflict', description: 'Somebody else has committed a change of the same key.' });

const candidate = candidateInfo
  .extend({ changes: z.array(change), conflicts: z.array(conflict) })
  .meta({ id: 'Candidate' });

const warnings = z.array(problemError);
const base = z.int().nonnegative().optional().meta({
  description:
    'The revision that this was made from. A candidate that begins now begins there, so that a commit merges what others have committed since and tells of the same keys; one that is based on another revision answers 412.',
});
const version = z.strictObject({ version: z.int(), base: z.int() }).meta({ id: 'CandidateVersion' });
const comment = z.string().max(1000).default('');
const confirmMs = z
  .int()
  .min(1000)
  .max(MAX_CONFIRM_MS)
  .optional()
  .meta({ description: 'It goes back by itself after this time, unless it is confirmed.' });

const committed = z
  .strictObject({ revision, changes: z.array(change), warnings, unconfirmed: unconfirmed.optional() })
  .meta({ id: 'Committed' });

export const CONFIGURATION_ROUTES = routesOf('Configuration')({
  'GET /api/config/status': {
    operation: 'getConfigurationStatus',
    summary: 'Where the configuration comes from, what is in force, who is changing it.',
    least: 'read-only',
    response: z.strictObject({
      mode: z.enum(['store', 'file']),
      file: z.string().optional(),
      running: revision,
      unconfirmed: unconfirmed.optional(),
      candidates: z.array(candidateInfo),
    }),
  },
  'GET /api/config': {
    operation: 'getConfiguration',
    summary: 'The configuration as it is written, secrets masked: in force, of a revision, or one’s own candidate.',
    least: 'read-only',
    query: z.strictObject({ which: whichText.default('running'), path: pathText }),
    response: z.strictObject({ revision: z.int(), version: z.int().optional(), value: json }),
    etag: true,
    problems: ['not-found'],
  },
  'GET /api/config/candidate': {
    operation: 'getCandidate',
    summary: 'One’s own changes that are not committed, and what others have committed at the same keys.',
    least: 'read-only',
    response: candidate,
    etag: true,
    problems: ['not-found'],
  },
  'PATCH /api/config/candidate': {
    operation: 'editCandidate',
    summary: 'Changes the candidate; all edits or none. The first edit makes it.',
    least: 'read-only',
    body: z.strictObject({ edits: z.array(edit).min(1).max(1000), base }),
    response: version,
    etag: true,
    ifMatch: 'possible',
    problems: ['file-mode', 'not-found', 'not-possible'],
  },
  'PUT /api/config/candidate': {
    operation: 'loadCandidate',
    summary:
      'Replaces the candidate, or a part of it, by a text (YAML or JSON) or a document. Faults load nothing. The base of a candidate stays, unless `base` names another for the whole.',
    least: 'read-only',
    body: z
      .strictObject({
        text: z.string().max(MAX_TEXT_CHARS).optional().meta({ description: 'YAML or JSON.' }),
        document: json.optional(),
        passphrase: z.string().max(1000).optional().meta({ description: 'Of an export with sealed secrets.' }),
        at: steps.optional(),
        base,
      })
      .refine(({ text, document }) => (text === undefined) !== (document === undefined), 'either text or document'),
    maxBodyBytes: MAX_LOAD_BYTES,
    response: z.strictObject({
      version: z.int(),
      base: z.int(),
      changes: z.array(change).meta({ description: 'What a commit would change, where it asks nothing.' }),
      conflicts: z.array(conflict),
      stays: z.array(change).meta({
        description: 'What others have committed since the base and the document has otherwise: it stays.',
      }),
      warnings,
    }),
    etag: true,
    ifMatch: 'possible',
    problems: ['file-mode', 'not-found', 'not-possible'],
    recorded: ['at'],
  },
  'DELETE /api/config/candidate': {
    operation: 'clearCandidate',
    summary: 'Gives one’s own changes up.',
    least: 'read-only',
    response: z.strictObject({ dropped: z.int().meta({ description: 'So many changes.' }) }),
    problems: ['file-mode', 'not-found'],
  },
  'POST /api/config/candidate/validate': {
    operation: 'validateCandidate',
    summary: 'Checks the candidate as a commit would, and changes nothing.',
    least: 'read-only',
    response: z.strictObject({ changes: z.array(change), warnings }),
    problems: ['not-found', 'invalid', 'conflict'],
    asksOnly: true,
  },
  'POST /api/config/candidate/rebase': {
    operation: 'rebaseCandidate',
    summary: 'Puts the candidate onto the revision in force, with a choice for each conflict.',
    least: 'read-only',
    body: z.strictObject({
      choices: z.array(z.strictObject({ path: steps, keep: z.enum(['mine', 'theirs']) })).max(1000),
    }),
    response: version,
    etag: true,
    problems: ['file-mode', 'not-found', 'conflict'],
  },
  'POST /api/config/commit': {
    operation: 'commit',
    summary:
      'Puts the candidate into force: checks all, builds all, records, swaps; on any failure nothing changes. Only an administrator commits what decides who may sign in: `admin`, the authorities that it trusts, `crl.checkWebInterface`.',
    least: 'operator',
    body: z.strictObject({
      comment,
      confirmMs,
      ifVersion: z.int().optional().meta({ description: 'Only this version of the candidate.' }),
    }),
    response: committed,
    etag: true,
    ifMatch: 'possible',
    problems: ['file-mode', 'invalid', 'conflict'],
    recorded: ['comment', 'confirmMs'],
  },
  'POST /api/config/confirm': {
    operation: 'confirmCommit',
    summary: 'Keeps the revision that would go back by itself.',
    least: 'operator',
    response: z.strictObject({ revision }),
    problems: ['file-mode', 'not-found'],
  },
  'POST /api/config/rollback': {
    operation: 'rollback',
    summary:
      'Commits the document of an earlier revision as a new one. Candidates stay. Who may sign in changes for administrators only.',
    least: 'operator',
    body: z.strictObject({ to: z.int().min(1), comment, confirmMs }),
    response: committed,
    etag: true,
    ifMatch: 'possible',
    problems: ['file-mode', 'not-found', 'conflict'],
    recorded: ['to', 'comment', 'confirmMs'],
  },
  'POST /api/config/rekey': {
    operation: 'changeMasterKey',
    summary: 'Makes a new master key and encrypts every secret of every revision and candidate under it.',
    least: 'administrator',
    response: z.strictObject({
      file: z.string().meta({ description: 'Where the key lies, on the gateway. Keep a copy elsewhere.' }),
      secrets: z.int().meta({ description: 'How many were encrypted anew.' }),
    }),
    problems: ['file-mode'],
  },
  'POST /api/config/reload': {
    operation: 'reload',
    summary: 'Reads the configuration file, or the files that the configuration names, again; as SIGHUP.',
    least: 'operator',
    response: z.strictObject({ warnings }),
    problems: ['invalid'],
  },
  'GET /api/config/history': {
    operation: 'listRevisions',
    summary: 'Revisions, newest first.',
    least: 'read-only',
    query: z.strictObject({
      before: z.coerce.number().int().min(1).optional().meta({ description: 'Only revisions with a smaller number.' }),
      limit: limit(1000, 50),
    }),
    response: z.strictObject({ revisions: z.array(revision) }),
  },
  'GET /api/config/history/{revision}': {
    operation: 'getRevision',
    summary: 'A revision and what it changed.',
    least: 'read-only',
    path: z.strictObject({ revision: z.coerce.number().int().min(1) }),
    response: z.strictObject({ revision, changes: z.array(change) }),
    problems: ['not-found'],
  },
  'GET /api/config/diff': {
    operation: 'diff',
    summary: 'What differs between two configurations.',
    least: 'read-only',
    query: z.strictObject({ from: whichText, to: whichText }),
    response: z.strictObject({ changes: z.array(change) }),
    problems: ['not-found'],
  },
  'POST /api/config/export': {
    operation: 'exportConfiguration',
    summary:
      'A configuration as YAML text to keep. Secrets masked; sealed under a passphrase or in the clear for administrators.',
    least: 'read-only',
    body: z.strictObject({
      which: which.default('running'),
      secrets: z.enum(['masked', 'sealed', 'clear']).default('masked'),
      passphrase: z.string().min(8).max(1000).optional(),
    }),
    text: { contentType: 'application/yaml', means: 'The configuration, YAML.' },
    problems: ['forbidden', 'not-found', 'not-possible'],
    recorded: ['which', 'secrets'],
  },
});

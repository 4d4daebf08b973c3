/**
 * Certificate policy processing along a path: explicit policy, policy mapping, inhibit anyPolicy, and which policies
 * the path is valid for. The policies are kept as a graph, one node per policy and depth: the tree of RFC 5280 grows
 * exponentially with mappings that a hostile authority can choose. Nodes without children are not pruned one by one;
 * what leads to the last depth is found once, at the end.
 * RFC 5280 §6.1.2 to §6.1.5 as updated by RFC 9618. Pure.
 */
import type { Certificate } from './certificate.ts';
import { ANY_POLICY, type PolicyMapping } from './certificate-extensions.ts';

/** Initial settings of RFC 5280 §6.1.1 (c), (e), (f), (g). */
export type PolicySettings = {
  /** Undefined = any-policy. */
  readonly initialPolicySet?: readonly string[];
  readonly initialExplicitPolicy?: boolean;
  readonly initialPolicyMappingInhibit?: boolean;
  readonly initialAnyPolicyInhibit?: boolean;
};

/** `policies`: the user-constrained-policy-set; anyPolicy in it stands for every policy. */
export type PolicyOutcome =
  | { readonly ok: true; readonly policies: readonly string[] }
  | { readonly ok: false; readonly why: string };

type PolicyNode = { expected: ReadonlySet<string>; readonly parents: readonly string[] };
type Level = Map<string, PolicyNode>;

export class PolicyProcessor {
  readonly #settings: PolicySettings;
  /** Undefined = NULL in the words of RFC 5280. The first level is depth 0. */
  #levels: Level[] | undefined = [new Map([[ANY_POLICY, { expected: new Set([ANY_POLICY]), parents: [] }]])];
  #explicitPolicy: number;
  #policyMapping: number;
  #inhibitAnyPolicy: number;

  /** `length`: certificates on the path without the anchor (n). */
  constructor(length: number, settings: PolicySettings) {
    this.#settings = settings;
    this.#explicitPolicy = settings.initialExplicitPolicy === true ? 0 : length + 1;
    this.#policyMapping = settings.initialPolicyMappingInhibit === true ? 0 : length + 1;
    this.#inhibitAnyPolicy = settings.initialAnyPolicyInhibit === true ? 0 : length + 1;
  }

  /** RFC 5280 §6.1.3 (d), (e), (f). Undefined, or why the path is refused. */
  enter(certificate: Certificate, role: { readonly selfIssued: boolean; readonly last: boolean }): string | undefined {
    if (certificate.policies === undefined) this.#levels = undefined;
    else if (this.#levels !== undefined) {
      const anyCounts = this.#inhibitAnyPolicy > 0 || (role.selfIssued && !role.last);
      const level = nextLevel(this.#levels.at(-1) as Level, certificate.policies, anyCounts);
      this.#levels.push(level);
      this.#dropIfEmpty();
    }
    return this.#explicitPolicy === 0 && this.#levels === undefined ? 'no certificate policy is valid' : undefined;
  }

  /** RFC 5280 §6.1.4 (a), (b), (h), (i), (j): to the next certificate. */
  prepareNext(certificate: Certificate, selfIssued: boolean): string | undefined {
    const mappings = certificate.policyMappings ?? [];
    if (mappings.some((pair) => pair.issuerDomain === ANY_POLICY || pair.subjectDomain === ANY_POLICY)) {
      return 'anyPolicy is mapped';
    }
    if (this.#levels !== undefined && mappings.length > 0) {
      applyMappings(this.#levels, mappings, this.#policyMapping > 0);
      this.#dropIfEmpty();
    }
    if (!selfIssued) {
      this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
      this.#policyMapping = Math.max(0, this.#policyMapping - 1);
      this.#inhibitAnyPolicy = Math.max(0, this.#inhibitAnyPolicy - 1);
    }
    const { requireExplicitPolicy, inhibitPolicyMapping } = certificate.policyConstraints ?? {};
    this.#explicitPolicy = Math.min(this.#explicitPolicy, requireExplicitPolicy ?? Number.POSITIVE_INFINITY);
    this.#policyMapping = Math.min(this.#policyMapping, inhibitPolicyMapping ?? Number.POSITIVE_INFINITY);
    this.#inhibitAnyPolicy = Math.min(this.#inhibitAnyPolicy, certificate.inhibitAnyPolicy ?? Number.POSITIVE_INFINITY);
    return undefined;
  }

  /** RFC 5280 §6.1.5 (a), (b), (g): after the last certificate. */
  finish(last: Certificate): PolicyOutcome {
    this.#explicitPolicy = Math.max(0, this.#explicitPolicy - 1);
    if (last.policyConstraints?.requireExplicitPolicy === 0) this.#explicitPolicy = 0;
    const policies = constrain(authorityPolicies(this.#levels), this.#settings.initialPolicySet);
    if (this.#explicitPolicy === 0 && policies.length === 0) {
      return { ok: false, why: 'none of the required certificate policies is valid' };
    }
    return { ok: true, policies };
  }

  #dropIfEmpty(): void {
    if (this.#levels?.at(-1)?.size === 0) this.#levels = undefined;
  }
}

/** RFC 9618 §5.3 (d) (1) and (2). */
function nextLevel(previous: Level, policies: readonly string[], anyCounts: boolean): Level {
  const parentsOf = new Map<string, string[]>();
  for (const [policy, { expected }] of previous) {
    for (const wanted of expected) {
      const parents = parentsOf.get(wanted);
      if (parents === undefined) parentsOf.set(wanted, [policy]);
      else parents.push(policy);
    }
  }
  const level: Level = new Map();
  for (const policy of policies) {
    if (policy === ANY_POLICY) continue;
    const parents = parentsOf.get(policy) ?? (previous.has(ANY_POLICY) ? [ANY_POLICY] : undefined);
    if (parents !== undefined) level.set(policy, { expected: new Set([policy]), parents });
  }
  if (anyCounts && policies.includes(ANY_POLICY)) {
    for (const [policy, parents] of parentsOf) {
      if (!level.has(policy)) level.set(policy, { expected: new Set([policy]), parents });
    }
  }
  return level;
}

/** RFC 9618 §5.4 (b). */
function applyMappings(levels: Level[], mappings: readonly PolicyMapping[], allowed: boolean): void {
  const level = levels.at(-1) as Level;
  const mapped = new Map<string, Set<string>>();
  for (const { issuerDomain, subjectDomain } of mappings) {
    const subjects = mapped.get(issuerDomain);
    if (subjects === undefined) mapped.set(issuerDomain, new Set([subjectDomain]));
    else subjects.add(subjectDomain);
  }
  for (const [policy, expected] of mapped) {
    const node = level.get(policy);
    if (!allowed) level.delete(policy);
    else if (node !== undefined) node.expected = expected;
    // The parent is the anyPolicy node above, so that the policy counts as one of the authority's own.
    else if (level.has(ANY_POLICY)) level.set(policy, { expected, parents: [ANY_POLICY] });
  }
}

/** RFC 9618 §5.5 (g): the authority-constrained-policy-set, of nodes from which the last depth can be reached. */
function authorityPolicies(levels: readonly Level[] | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  if (levels === undefined) return found;
  let reached = new Set((levels.at(-1) as Level).keys());
  if (reached.has(ANY_POLICY)) found.add(ANY_POLICY);
  for (let depth = levels.length - 1; depth > 0; depth--) {
    const above = new Set<string>();
    for (const policy of reached) {
      const parents = levels[depth]?.get(policy)?.parents ?? [];
      if (policy !== ANY_POLICY && parents.includes(ANY_POLICY)) found.add(policy);
      for (const parent of parents) above.add(parent);
    }
    reached = above;
  }
  return found;
}

function constrain(authority: ReadonlySet<string>, wanted: readonly string[] | undefined): readonly string[] {
  if (wanted === undefined || wanted.includes(ANY_POLICY)) return [...authority];
  return authority.has(ANY_POLICY) ? [...new Set(wanted)] : wanted.filter((policy) => authority.has(policy));
}

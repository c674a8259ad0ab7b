/** The work of `policy check` and `policy test`. */
import { readFileSync } from 'node:fs';
import { errorCode } from '../../config/environment.ts';
import { loadConfig } from '../../config/load.ts';
import { policyNamed, policyPath, shippedPolicies } from '../../config/policies.ts';
import { type CaseResult, type TestedPolicy, testPolicy } from '../../config/policy-cases.ts';
import type { LineProblem } from '../../config/yaml-lines.ts';
import type { Report } from './policy.ts';

export function checkPolicyFile(nameOrPath: string): Report {
  const path = policyPath(nameOrPath);
  const parsed = policyNamed(nameOrPath, read(path));
  if (!parsed.ok) {
    const { problems } = parsed;
    return { isRight: false, lines: inLines(path, problems), data: { path, problems } };
  }
  const { before, afterwards } = parsed.policy;
  const counts = `${before.length} rules before the selfie, ${afterwards.length} afterwards`;
  const data = { path, problems: [], before: before.length, afterwards: afterwards.length };
  return { isRight: true, lines: [`${path} is valid: ${counts}`], data };
}

/** With a configuration the policies that it names, else those that are shipped. */
export function namedPolicies(fileName: string | undefined): readonly string[] {
  const { CONFIG_FILE, POLICY_FILE } = process.env;
  if (!fileName && !CONFIG_FILE && !POLICY_FILE) return shippedPolicies;
  const { config } = loadConfig({ fileName, env: process.env });
  const { policyFile, policyShadowFile } = config;
  return [policyFile, ...(policyShadowFile === undefined ? [] : [policyShadowFile])];
}

export const checkPolicyFiles = (names: readonly string[]): Report =>
  together(names.map(checkPolicyFile));

export const testPolicyFiles = (names: readonly string[], fixtures?: string): Report =>
  together(names.map((name) => testPolicyFile(name, fixtures)));

function together(reports: readonly Report[]): Report {
  return {
    isRight: reports.every(({ isRight }) => isRight),
    lines: reports.flatMap(({ lines }) => lines),
    data: { policies: reports.map(({ data }) => data) },
  };
}

function testPolicyFile(nameOrPath: string, fixtures: string | undefined): Report {
  const path = policyPath(nameOrPath);
  const parsed = policyNamed(nameOrPath, read(path));
  if (!parsed.ok) return checkPolicyFile(nameOrPath);
  const casesPath = fixtures ?? path.replace(/(\.ya?ml)?$/, '.fixtures.yaml');
  const tested = testPolicy(parsed.policy, read(casesPath));
  const wrong = tested.cases.filter(({ isRight }) => !isRight);
  return {
    isRight: wrong.length === 0 && tested.problems.length === 0,
    lines: [
      `${path}: ${tested.cases.length} cases, ${wrong.length} wrong`,
      ...inLines(casesPath, tested.problems),
      ...wrong.flatMap((one) => inWords(casesPath, one)),
      ...withoutCase(tested),
    ],
    data: {
      ...{ path, cases_path: casesPath, ...tested },
      cases: tested.cases.map(({ isRight, ...one }) => ({ ...one, ok: isRight })),
    },
  };
}

function inWords(path: string, { name, line, expected, found }: CaseResult): string[] {
  return [
    `${path}:${line}: ${name}`,
    `  expected ${expected.then} by "${expected.rule}"`,
    `  found    ${found.then} by "${found.rule}"`,
  ];
}

function withoutCase({ untested, problems }: TestedPolicy): string[] {
  if (problems.length > 0) return [];
  return untested.map((rule) => `  no case leads to "${rule}"`);
}

function inLines(path: string, problems: readonly LineProblem[]): string[] {
  return problems.flatMap(({ line, message, fix }) => [`${path}:${line}: ${message}`, `  ${fix}`]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read (${errorCode(error)})`, { cause: error });
  }
}

/** ops/kubernetes as far as it can be held to the program without a cluster. */
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { settingByKey, settings } from '../../src/config/settings.ts';
import { createProgram } from '../../src/ops/cli/program.ts';
import { read } from './support.ts';

const folder = 'ops/kubernetes';
const names = ['namespace', 'config', 'secret.example', 'deployment', 'service', 'network-policy'];

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec: Record<string, unknown>;
}

const manifests = names.flatMap((name) => {
  const documents = parseAllDocuments(read(`${folder}/${name}.yaml`));
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
});
const all = (kind: string): Manifest[] => manifests.filter((it) => it.kind === kind);
const [deployment] = all('Deployment');

interface Probe {
  httpGet: { path: string; port: string };
}
interface Pod {
  automountServiceAccountToken: boolean;
  hostNetwork?: boolean;
  securityContext: object;
  containers: {
    image: string;
    securityContext: object;
    envFrom: object[];
    ports: { name: string; containerPort: number }[];
    livenessProbe: Probe;
    readinessProbe: Probe;
    startupProbe: Probe;
    resources: { limits: { memory: string } };
    volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
  }[];
  volumes: { name: string; secret?: { secretName: string } }[];
}
const pod = (deployment!.spec['template'] as { spec: Pod }).spec;
const container = pod.containers[0]!;

test('there is everything that two providers need, in one namespace', () => {
  expect(manifests.map(({ kind }) => kind).sort()).toEqual([
    ...['ConfigMap', 'Deployment', 'Namespace', 'NetworkPolicy', 'NetworkPolicy'],
    ...['PodDisruptionBudget', 'Secret', 'Secret', 'Service'],
  ]);
  const placed = manifests.filter(({ kind }) => kind !== 'Namespace');
  expect(new Set(placed.map(({ metadata }) => metadata.namespace))).toEqual(
    new Set([all('Namespace')[0]!.metadata.name]),
  );
  expect(deployment!.spec['replicas']).toBe(2);
});

test('[PL-23] a pod has no rights that it does not need, and the namespace lets no other in', () => {
  expect(all('Namespace')[0]!.metadata.labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'restricted',
  });
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser: 1000 },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  });
  expect(pod).not.toHaveProperty('hostNetwork');
  expect(pod.containers).toHaveLength(1);
  expect(container.securityContext).toEqual({
    ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
    capabilities: { drop: ['ALL'] },
  });
  expect(container.resources.limits.memory).toMatch(/Mi$/);
  for (const { name, readOnly } of container.volumeMounts) {
    if (name !== 'tmp') expect(readOnly).toBe(true);
  }
});

test('[PL-22] the image is named by its digest', () => {
  expect(container.image).toMatch(/@sha256:[0-9a-f]{64}$/);
});

test('probes ask what the management listener answers, at the ports of the settings', () => {
  const port = (key: string): unknown => settingByKey.get(key)?.default;
  expect(container.ports).toEqual([
    { name: 'http', containerPort: port('port') },
    { name: 'management', containerPort: port('management.port') },
  ]);
  const { livenessProbe, readinessProbe, startupProbe } = container;
  expect([livenessProbe, readinessProbe, startupProbe].map(({ httpGet }) => httpGet)).toEqual([
    { path: '/healthz', port: 'management' },
    { path: '/readyz', port: 'management' },
    { path: '/healthz', port: 'management' },
  ]);
});

test('every name in ConfigMap and Secret is a setting, and no required one is missing', () => {
  const [secret, files] = all('Secret');
  const given = { ...all('ConfigMap')[0]!.data, ...secret!.stringData };
  const known = settings.map(({ env }) => env);
  expect(Object.keys(given).filter((name) => !known.includes(name))).toEqual([]);
  const required = settings.filter((setting) => setting.required).map(({ env }) => env);
  expect(required.filter((name) => !(name in given))).toEqual([]);
  const mounted = container.volumeMounts.find(({ name }) => name === 'files')?.mountPath ?? '';
  for (const name of ['JWKS_FILE', 'CLIENTS_FILE'] as const) {
    const file = given[name]!;
    expect(file.startsWith(`${mounted}/`)).toBe(true);
    expect(files!.stringData).toHaveProperty([file.slice(mounted.length + 1)]);
  }
  expect(parse(files!.stringData!['clients.yaml']!)).toEqual({ clients: [] });
});

test('[PL-02] the example of a Secret holds none', () => {
  for (const { stringData } of all('Secret')) {
    for (const [name, value] of Object.entries(stringData ?? {})) {
      expect(['', 'clients: []\n'].includes(value) || name === 'STORE_URL', name).toBe(true);
    }
  }
});

test('one policy closes everything, the other opens what is needed and not the management port to all', () => {
  const [closed, open] = all('NetworkPolicy');
  expect(closed!.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  const { ingress } = open!.spec as { ingress: { from: object[]; ports: { port: number }[] }[] };
  expect(ingress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([[3000], [9000]]);
  for (const { from } of ingress) expect(from).toHaveLength(1);
});

test('the commands in its README are commands of the program', () => {
  const commands = createProgram().commands.map((command) => command.name());
  const called = [...read(`${folder}/README.md`).matchAll(/(?:^didit-oidc|main\.js) ([a-z]+)\b/gm)];
  expect(called.length).toBeGreaterThan(1);
  for (const [, name] of called) expect(commands).toContain(name);
});

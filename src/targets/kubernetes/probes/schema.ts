// What a container says of its probes and hooks, checked where it comes in.
import * as v from 'valibot';
import type { ContainerPort, HookSpec, HttpGet, ProbeSpec } from './spec.ts';

type Schema<Output> = v.GenericSchema<unknown, Output>;

const number: Schema<number | null> = v.nullish(v.number(), null);
const text: Schema<string | null> = v.nullish(v.string(), null);
const anything: Schema<object | null> = v.nullish(v.looseObject({}), null);
const port: Schema<number | string> = v.union([v.number(), v.string()]);

const httpGet: Schema<HttpGet | null> = v.nullish(
  v.object({
    port,
    host: text,
    path: text,
    scheme: text,
    httpHeaders: v.nullish(v.array(v.object({ name: v.string(), value: v.nullish(v.string(), '') })), []),
  }),
  null,
);

export const probeSchema: Schema<ProbeSpec | null> = v.nullish(
  v.object({
    httpGet,
    tcpSocket: v.nullish(v.object({ port, host: text }), null),
    exec: anything,
    grpc: v.nullish(v.object({ port: v.number() }), null),
    initialDelaySeconds: number,
    periodSeconds: number,
    timeoutSeconds: number,
    failureThreshold: number,
    successThreshold: number,
  }),
  null,
);

export const hookSchema: Schema<HookSpec | null> = v.nullish(
  v.object({
    exec: v.nullish(v.object({ command: v.nullish(v.array(v.string()), []) }), null),
    httpGet,
    tcpSocket: anything,
    sleep: v.nullish(v.object({ seconds: v.number() }), null),
  }),
  null,
);

export const portsSchema: Schema<readonly ContainerPort[]> = v.nullish(
  v.array(v.object({ name: text, containerPort: v.number() })),
  [],
);
